variable "name" {
  description = "Name that the bucket's begins with."
  type        = string
}
