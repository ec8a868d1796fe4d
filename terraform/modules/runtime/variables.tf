variable "agent_name" {
  description = "Name of the Runtime: letters, digits and underscores."
  type        = string
}

variable "description" {
  description = "What the server is for."
  type        = string
  default     = null
}

variable "image_uri" {
  description = "Image of ECR, for linux/arm64."
  type        = string
}

variable "role_arn" {
  description = "Role that the server runs as."
  type        = string
}

variable "region" {
  description = "Region that the server runs in, which it finds in AWS_REGION."
  type        = string
}

variable "environment" {
  description = "Environment variables of the container."
  type        = map(string)
  default     = {}
}

variable "runtime_config" {
  description = "Secret with its settings."
  type        = object({ arn = string, version = string })
  default     = null
}

variable "authorizer" {
  description = "Whose tokens let a caller in; without one, callers sign with AWS's Signature Version 4."
  type        = object({ discovery_url = string, allowed_clients = list(string) })
  default     = null
}

variable "subnet_ids" {
  description = "Subnets that the server gets an address in; without any it has the internet and no VPC."
  type        = list(string)
  default     = []
}

variable "security_group_ids" {
  description = "Security groups of that address."
  type        = list(string)
  default     = []
}

variable "allowed_request_headers" {
  description = "Request headers, beside those of MCP, that reach the container."
  type        = list(string)
  default     = []
}

variable "idle_timeout_seconds" {
  description = "When a session without calls ends."
  type        = number
  default     = null
}

variable "max_lifetime_seconds" {
  description = "When a session ends in any case."
  type        = number
  default     = null
}

variable "dns_suffix" {
  description = "What the names of AWS's hosts end with."
  type        = string
  default     = "amazonaws.com"
}
