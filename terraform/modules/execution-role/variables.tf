variable "name" {
  description = "Name of the server."
  type        = string
}

variable "agent_name" {
  description = "Name of the Runtime, which the names of its log group and its workload identity begin with."
  type        = string
}

variable "pulls_from_ecr" {
  description = "Whether the image comes from a private repository."
  type        = bool
}

variable "repository_arn" {
  description = "ARN of that repository."
  type        = string
  default     = null
}

variable "runtime_config_arn" {
  description = "ARN of the secret with the server's settings."
  type        = string
  default     = null
}

variable "log_groups" {
  description = "Log groups that the server may query: names, or `prefix*`."
  type        = list(string)
  default     = []
}

variable "account_id" {
  description = "Account that the server runs in."
  type        = string
}

variable "region" {
  description = "Region that the server runs in."
  type        = string
}

variable "partition" {
  description = "Partition of the region, which ARNs begin with."
  type        = string
}
