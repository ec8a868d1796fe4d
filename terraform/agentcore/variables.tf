# The gateway itself. What is behind it is in variables-targets.tf.

variable "region" {
  description = "Region that everything is made in."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "`${var.region}` is no region: write one such as us-east-1."
  }
}

variable "account_id" {
  description = "Account that it was made in, so that credentials of another are refused; null takes any. `causeway deploy` says it from the second time on."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is the twelve digits of an account, such as 123456789012."
  }
}

variable "gateway_name" {
  description = "Name of the gateway, which the names of its role, its user pool and its clients begin with."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-zA-Z]+(-[0-9a-zA-Z]+)*$", var.gateway_name)) && length(var.gateway_name) <= 48
    error_message = "`${var.gateway_name}` cannot name a gateway: write at most 48 letters and digits, with single dashes between them, such as team-tools."
  }
}

variable "gateway_description" {
  description = "What the gateway is for."
  type        = string
  default     = ""

  validation {
    condition     = length(var.gateway_description) <= 200
    error_message = "gateway_description has ${length(var.gateway_description)} characters: write at most 200."
  }
}

variable "gateway_authorizer" {
  description = "What callers show the gateway: `jwt`, a token of its Cognito user pool, or `iam`, a signature of AWS (Signature Version 4)."
  type        = string
  default     = "jwt"

  validation {
    condition     = contains(["jwt", "iam"], var.gateway_authorizer)
    error_message = "`${var.gateway_authorizer}` is no way to let callers in: write jwt or iam."
  }
}

variable "mcp" {
  description = "How the gateway speaks MCP: the versions, what clients' models are told of it, and whether it has a tool that finds tools, which AWS takes at creation alone and bills for."
  type = object({
    versions        = optional(list(string), ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
    instructions    = optional(string)
    semantic_search = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for version in var.mcp.versions : can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", version))]) && length(var.mcp.versions) > 0
    error_message = "mcp.versions are dates of the specification: write some such as 2025-11-25."
  }
}

variable "debug" {
  description = "Whether the gateway's errors say what went wrong inside. For development."
  type        = bool
  default     = false
}

variable "callback_urls" {
  description = "Where people come back to once they have logged in with a browser, such as https://gateway.example.com/login/callback of a Causeway that has [login]. Without one they log in by name and password alone."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for url in var.callback_urls : can(regex("^[a-z][a-z0-9.+-]*://[^#]*$", url)) && (!startswith(url, "http://") || can(regex("^http://localhost(:[0-9]+)?(/|$)", url)))])
    error_message = "Cognito takes https URLs, http://localhost for tests, and schemes of applications; without a fragment (#)."
  }
}

variable "password_policy" {
  description = "What the passwords of the user pools must be."
  type = object({
    minimum_length                   = optional(number, 12)
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
    error_message = "password_policy.minimum_length is ${var.password_policy.minimum_length}: write a number from 8 to 99."
  }

  validation {
    condition     = var.password_policy.temporary_password_validity_days >= 1 && var.password_policy.temporary_password_validity_days <= 365
    error_message = "password_policy.temporary_password_validity_days is ${var.password_policy.temporary_password_validity_days}: write a number from 1 to 365."
  }
}

variable "test_user" {
  description = "A user to try it with, in each user pool."
  type = object({
    username = optional(string, "testuser")
    create   = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[^\\s]{1,128}$", var.test_user.username))
    error_message = "test_user.username is a name of at most 128 characters without spaces."
  }
}

variable "test_user_password" {
  description = "The test user's password. Give it in the variable TF_VAR_test_user_password of the environment, not in a file. The state holds it."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = !var.test_user.create || var.test_user_password != null
    error_message = "test_user.create asks for a user: set TF_VAR_test_user_password to the password."
  }

  validation {
    condition     = !var.test_user.create || length(coalesce(var.test_user_password, "-")) >= var.password_policy.minimum_length
    error_message = "test_user_password is shorter than password_policy.minimum_length: set TF_VAR_test_user_password to a longer one."
  }

  # Cognito would refuse it once the user is there, who would stay without one.
  validation {
    condition = !var.test_user.create || alltrue([
      for needed in [
        { asked = var.password_policy.require_lowercase, pattern = "[a-z]" },
        { asked = var.password_policy.require_uppercase, pattern = "[A-Z]" },
        { asked = var.password_policy.require_numbers, pattern = "[0-9]" },
        { asked = var.password_policy.require_symbols, pattern = "[^a-zA-Z0-9\\s]" },
      ] : !needed.asked || can(regex(needed.pattern, coalesce(var.test_user_password, "-")))
    ])
    error_message = "test_user_password lacks what password_policy asks for, by default a small letter, a capital, a digit and a symbol: set TF_VAR_test_user_password to one that has them."
  }
}

variable "tags" {
  description = "Tags of everything that has tags."
  type        = map(string)
  default     = {}
}
