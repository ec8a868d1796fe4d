variable "domain_name" {
  type        = string
  description = "The host name that the certificate is for."
}

variable "hosted_zone_id" {
  type        = string
  description = "The Route 53 zone of that name, where the record that proves it goes."
}
