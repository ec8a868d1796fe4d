variable "name" {
  type        = string
  description = "What the name of the secret begins with."
}

variable "key_version" {
  type        = number
  description = "Raised by one, a new key is made."
}

variable "kms_key_arn" {
  type        = string
  description = "The KMS key that encrypts the secret; null for AWS's own."
}
