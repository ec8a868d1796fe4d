variable "name" {
  description = "Name of the target, which the names of its tools begin with."
  type        = string
}

variable "description" {
  description = "What it is."
  type        = string
  default     = ""
}

variable "revision" {
  description = "What runs there. It stands in the description, so that the gateway lists the tools of another revision anew."
  type        = string
  default     = null
}

variable "gateway_id" {
  description = "Gateway that it is behind."
  type        = string
}

variable "endpoint" {
  description = "URL of its MCP endpoint."
  type        = string
}

variable "oauth" {
  description = "Credential provider whose tokens the gateway shows, and the scopes it asks for."
  type        = object({ provider_arn = string, scopes = list(string) })
  default     = null
}

variable "signing_region" {
  description = "Region that the gateway signs for in place of a token."
  type        = string
  default     = null
}

variable "keeps_sessions" {
  description = "Whether the id of a client's session goes to the target and back."
  type        = bool
  default     = false
}
