variable "name" {
  description = "Name that the bucket's begins with."
  type        = string
}

variable "package_path" {
  description = "The zip file to put there, on the machine where Terraform runs."
  type        = string
}
