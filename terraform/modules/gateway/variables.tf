variable "name" {
  description = "Name of the gateway."
  type        = string
}

variable "description" {
  description = "What it is for."
  type        = string
  default     = null
}

variable "authorizer" {
  description = "Whose tokens let a caller in; without one, callers sign with AWS's Signature Version 4."
  type        = object({ discovery_url = string, allowed_clients = list(string) })
  default     = null
}

variable "mcp_versions" {
  description = "Versions of MCP that clients may speak."
  type        = list(string)
}

variable "instructions" {
  description = "What clients' models are told of the gateway."
  type        = string
  default     = null
}

variable "semantic_search" {
  description = "Whether there is a tool that finds tools."
  type        = bool
  default     = false
}

variable "debug" {
  description = "Whether errors say what went wrong inside."
  type        = bool
  default     = false
}

variable "calls_with_credentials" {
  description = "Whether there is a target that the gateway shows anything to."
  type        = bool
}

variable "oauth_provider_arns" {
  description = "Credential providers whose tokens it gets."
  type        = list(string)
  default     = []
}

variable "oauth_secret_arns" {
  description = "Secrets that those keep their clients' secrets in."
  type        = list(string)
  default     = []
}

variable "iam_runtime_arns" {
  description = "Runtimes that it calls with signatures of its role."
  type        = list(string)
  default     = []
}

variable "account_id" {
  description = "Account that the gateway is in."
  type        = string
}

variable "region" {
  description = "Region that the gateway is in."
  type        = string
}

variable "partition" {
  description = "Partition of the region, which ARNs begin with."
  type        = string
}
