variable "name" {
  description = "Name of the target."
  type        = string
}

variable "client_id" {
  description = "Id of the client that the gateway is for this target."
  type        = string
}

variable "client_secret" {
  description = "Its secret. AgentCore Identity keeps it; neither the plan nor the state does."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "secret_version" {
  description = "Another number for another client or secret: only then are they sent again."
  type        = number
}

variable "discovery_url" {
  description = "URL of the issuer's OpenID configuration."
  type        = string
  default     = null
}

variable "issuer" {
  description = "The issuer, where it has no OpenID configuration."
  type        = string
  default     = null
}

variable "token_endpoint" {
  description = "Where it gives tokens, where it has no OpenID configuration."
  type        = string
  default     = null
}

variable "authorization_endpoint" {
  description = "Where its users log in. AgentCore asks for one and client credentials never use it; by default the token endpoint."
  type        = string
  default     = null
}
