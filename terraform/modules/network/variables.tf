variable "name" {
  type        = string
  description = "What the names of all parts begin with."
}

variable "cidr" {
  type        = string
  description = "The addresses of the VPC, cut into sixteen parts: the first eight are for public subnets, the others for private ones."
}

variable "zone_count" {
  type        = number
  description = "Over how many availability zones the subnets are spread."
}

variable "egress" {
  type        = string
  description = "How private subnets reach others: \"nat\", \"nat-per-zone\" or \"endpoints\"."
}

variable "endpoint_services" {
  type        = list(string)
  description = "With \"endpoints\": AWS services to reach, as in the names of their endpoints after the region."
}
