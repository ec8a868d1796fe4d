variable "name" {
  description = "Name of the server."
  type        = string
}

variable "settings" {
  description = "The settings, by name."
  type        = map(string)
  default     = {}
}

variable "log_groups" {
  description = "Log groups that the server may query: names, or `prefix*`."
  type        = list(string)
  default     = []
}
