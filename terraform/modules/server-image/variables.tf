variable "name" {
  description = "Name of the server."
  type        = string
}

variable "source_directory" {
  description = "Directory with the server's Dockerfile and all that it copies."
  type        = string
}

variable "bucket" {
  description = "Bucket that the source is put in."
  type        = object({ id = string, arn = string })
}

variable "repository_name" {
  description = "Repository of ECR that exists; without one, one is made."
  type        = string
  default     = null
}

variable "compute_type" {
  description = "Size of the machine that builds."
  type        = string
  default     = "BUILD_GENERAL1_SMALL"
}

variable "account_id" {
  description = "Account that builds."
  type        = string
}

variable "region" {
  description = "Region that builds."
  type        = string
}

variable "partition" {
  description = "Partition of the region, which ARNs begin with."
  type        = string
}
