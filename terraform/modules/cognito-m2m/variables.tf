variable "name" {
  description = "Name that the names of the pool, its resource server and its clients begin with."
  type        = string
}

variable "account_id" {
  description = "Account that the pool is made in; part of what makes the domain's prefix unique."
  type        = string
}

variable "region" {
  description = "Region that the pool is made in."
  type        = string
}

variable "callback_urls" {
  description = "Where people come back to once they have logged in with a browser; without one they log in by name and password alone."
  type        = list(string)
  default     = []
}

variable "password_policy" {
  description = "What a password must be."
  type = object({
    minimum_length                   = number
    require_lowercase                = bool
    require_uppercase                = bool
    require_numbers                  = bool
    require_symbols                  = bool
    temporary_password_validity_days = number
  })
}

variable "test_user" {
  description = "A user to try it with."
  type = object({
    username = string
    create   = bool
  })
}

variable "test_user_password" {
  description = "The test user's password."
  type        = string
  default     = null
  sensitive   = true
}
