# The API and who may call it.

variable "stage" {
  description = "Name of the stage, which URLs begin with: https://ID.execute-api.REGION.amazonaws.com/STAGE/mcp."
  type        = string
  default     = "prod"

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.stage))
    error_message = "`${var.stage}` cannot name a stage: write letters, digits, dashes and underscores, such as prod."
  }
}

variable "throttling" {
  description = "Requests a second, and how many at once beyond that, of all callers together."
  type = object({
    rate  = optional(number, 50)
    burst = optional(number, 100)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.throttling.rate >= 1 && var.throttling.burst >= 1
    error_message = "With a rate or a burst below 1 nobody is answered: write 1 or more of each."
  }
}

variable "web_acl_arn" {
  description = "A web ACL of AWS WAF, for regional resources in this region, to put in front. None by default, for cost."
  type        = string
  default     = null

  validation {
    condition     = var.web_acl_arn == null ? true : can(regex("^arn:aws[a-z-]*:wafv2:[a-z0-9-]+:[0-9]{12}:regional/webacl/", var.web_acl_arn))
    error_message = "`${coalesce(var.web_acl_arn, "-")}` is no web ACL for regional resources: write one such as arn:aws:wafv2:us-east-1:123456789012:regional/webacl/ours/1."
  }
}

variable "create_account_log_role" {
  description = "Make the role by which API Gateway writes the logs of all APIs of this account in this region. There is one such setting: false where somebody else has made it."
  type        = bool
  default     = true
}

variable "password_policy" {
  description = "What a password of a user of the pool must be."
  type = object({
    minimum_length                   = optional(number, 14)
    require_lowercase                = optional(bool, true)
    require_uppercase                = optional(bool, true)
    require_numbers                  = optional(bool, true)
    require_symbols                  = optional(bool, true)
    temporary_password_validity_days = optional(number, 7)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.password_policy.minimum_length >= 8 && var.password_policy.minimum_length <= 99
    error_message = "A password has at least 8 and at most 99 characters: write one of them in place of ${var.password_policy.minimum_length}."
  }
}
