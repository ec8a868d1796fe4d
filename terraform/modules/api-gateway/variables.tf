variable "name" {
  description = "The API's name."
  type        = string
}

variable "region" {
  description = "Region that it is in."
  type        = string
}

variable "partition" {
  description = "Partition of AWS that it is in."
  type        = string
}

variable "function" {
  description = "The function that answers: its name, and what an API calls it by."
  type = object({
    name       = string
    invoke_arn = string
  })
}

variable "user_pool_arn" {
  description = "The user pool whose tokens let in."
  type        = string
}

variable "scope" {
  description = "The scope that a token must have."
  type        = string
}

variable "stage" {
  description = "The stage's name, which URLs begin with."
  type        = string
}

variable "timeout_seconds" {
  description = "For one request."
  type        = number
}

variable "throttling" {
  description = "Requests a second, and how many at once beyond that."
  type = object({
    rate  = number
    burst = number
  })
}

variable "log_retention_days" {
  description = "For how long the access log is kept."
  type        = number
}

variable "create_account_log_role" {
  description = "Whether to make the role by which API Gateway writes the logs of this account's APIs in this region."
  type        = bool
}

variable "web_acl_arn" {
  description = "The web ACL in front of it; null: none."
  type        = string
}
