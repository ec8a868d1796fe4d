variable "name" {
  description = "What the names of all parts begin with."
  type        = string
}

variable "cidr" {
  description = "The addresses of the VPC, cut into sixteen parts: the first is for the NAT gateway, the last eight are for private subnets."
  type        = string
}

variable "zone_count" {
  description = "Over how many availability zones the subnets are spread."
  type        = number
}

variable "nat" {
  description = "Whether there is a way to the internet."
  type        = bool
}

variable "endpoint_services" {
  description = "AWS services to reach without the internet, as in the names of their endpoints after the region."
  type        = list(string)
}
