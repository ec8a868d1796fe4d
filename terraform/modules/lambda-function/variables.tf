variable "name" {
  description = "The function's name."
  type        = string
}

variable "description" {
  description = "What the function is for."
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

variable "package" {
  description = "The zip file: its bucket, key, version and hash. Null with an image."
  type = object({
    bucket  = string
    key     = string
    version = string
    hash    = string
  })
}

variable "image_uri" {
  description = "The container image. Null with a package."
  type        = string
}

variable "handler" {
  description = "What the program does: `bootstrap` for the gateway, `sample.NAME` for a sample server. Means nothing to an image."
  type        = string
}

variable "environment" {
  description = "Variables of its environment."
  type        = map(string)
}

variable "memory_mb" {
  description = "Its memory, which its share of a processor goes with."
  type        = number
}

variable "timeout_seconds" {
  description = "For one request."
  type        = number
}

variable "reserved_concurrency" {
  description = "How many requests it answers at once, which are then kept for it; null: as many as the account has."
  type        = number
}

variable "log_retention_days" {
  description = "For how long its log is kept."
  type        = number
}

variable "subnet_ids" {
  description = "Where it is."
  type        = list(string)
}

variable "security_group_ids" {
  description = "What it may reach."
  type        = list(string)
}

variable "statements" {
  description = "What it may do beside running, as statements of an IAM policy."
  type        = any
}
