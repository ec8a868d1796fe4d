variable "prefix" {
  description = "What the bucket's name begins with, in small letters; the rest is made up."
  type        = string
}

variable "kept_days" {
  description = "How many days an object's older versions are kept."
  type        = number
}

variable "kept_versions" {
  description = "How many of them are kept for longer; none: all of them go."
  type        = number
  default     = null
}
