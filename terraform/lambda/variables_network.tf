# Where the function is, and what it reaches.

variable "nat" {
  description = "Give the function a way to the internet, for targets and issuers there. Costs a NAT gateway. Not needed for AgentCore Runtimes called with a signature."
  type        = bool
  default     = false
}

variable "endpoint_services" {
  description = "AWS services that the function reaches without the internet, as in the names of their endpoints after the region. Each costs by the hour and zone: leave out what config.toml does not need."
  type        = list(string)
  default     = ["bedrock-agentcore", "logs", "secretsmanager", "sts"]

  validation {
    condition     = alltrue([for service in var.endpoint_services : can(regex("^[a-z0-9][a-z0-9.-]*$", service)) && !startswith(service, "com.amazonaws")])
    error_message = "endpoint_services are the names after the region: write some such as secretsmanager, not com.amazonaws.us-east-1.secretsmanager."
  }

  validation {
    condition     = !contains(var.endpoint_services, "cognito-idp")
    error_message = "Cognito answers for no user pool that has a domain by an endpoint, and client credentials need a domain: leave cognito-idp out, and let the function take API Gateway's word or give it NAT."
  }
}

variable "cidr" {
  description = "The addresses of the VPC, at least a /24."
  type        = string
  default     = "10.40.0.0/20"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && can(cidrsubnet(var.cidr, 4, 15)) && tonumber(try(split("/", var.cidr)[1], 32)) <= 24
    error_message = "`${var.cidr}` is too small or no range of addresses: write one such as 10.40.0.0/20."
  }
}

variable "zone_count" {
  description = "Over how many availability zones the function is spread."
  type        = number
  default     = 2

  validation {
    condition     = var.zone_count >= 1 && var.zone_count <= 3
    error_message = "The function is spread over 1 to 3 zones: write one of them in place of ${var.zone_count}."
  }
}
