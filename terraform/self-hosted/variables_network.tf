# The network that it is in.

variable "network" {
  type = object({
    vpc_id             = string
    public_subnet_ids  = list(string)
    private_subnet_ids = list(string)
  })
  description = "A network that is there: the load balancer goes into the public subnets, the gateway into the private ones, which need a way to AWS and to your servers. Default: one of its own is made."
  default     = null

  validation {
    condition     = var.network == null || try(length(toset(var.network.private_subnet_ids)) >= 2 && (var.internal || length(toset(var.network.public_subnet_ids)) >= 2), false)
    error_message = "`network` has less than two subnets of a kind: a load balancer and replicas are spread over zones, so write one of each of two zones at least (public ones are not needed with `internal`)."
  }
}

variable "vpc_cidr" {
  type        = string
  description = "Addresses of the network that is made."
  default     = "10.42.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 22, false)
    error_message = "`vpc_cidr` is cut into sixteen parts, so it is a range with 16 to 22 bits: write one such as \"10.42.0.0/16\"."
  }
}

variable "zone_count" {
  type        = number
  description = "Over how many availability zones the network that is made is spread."
  default     = 2
  nullable    = false

  validation {
    condition     = contains([2, 3], var.zone_count)
    error_message = "`zone_count` is not possible: write 2 or 3; one zone alone is down when that zone is."
  }
}

variable "egress" {
  type        = string
  description = "How the gateway reaches others in the network that is made. \"nat\": through one NAT gateway; \"nat-per-zone\": one in each zone, so that none depends on another; \"endpoints\": AWS's services alone, by PrivateLink, without any way to the internet, for servers and an issuer that are in the VPC or behind `endpoint_services`."
  default     = "nat"
  nullable    = false

  validation {
    condition     = contains(["nat", "nat-per-zone", "endpoints"], var.egress)
    error_message = "`egress` is none of the three: write \"nat\", \"nat-per-zone\" or \"endpoints\"."
  }
}

variable "endpoint_services" {
  type        = list(string)
  description = "With `egress = \"endpoints\"`: the services that are reached, as in the names of their endpoints after the region. The first five are what starting a task needs."
  default     = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "sts", "bedrock-agentcore", "bedrock-agentcore.gateway", "cognito-idp"]
  nullable    = false

  validation {
    condition     = length(setsubtract(["ecr.api", "ecr.dkr", "logs", "secretsmanager"], var.endpoint_services)) == 0
    error_message = "`endpoint_services` lacks one without which no task starts: write \"ecr.api\", \"ecr.dkr\", \"logs\" and \"secretsmanager\" too."
  }
}

variable "egress_ports" {
  type        = list(number)
  description = "TCP ports that the gateway reaches at others: 443, and those of servers that listen elsewhere."
  default     = [443]
  nullable    = false

  validation {
    condition     = contains(var.egress_ports, 443) && alltrue([for port in var.egress_ports : port >= 1 && port <= 65535])
    error_message = "`egress_ports` lacks 443, without which the gateway reaches neither AWS nor an issuer, or has one that is none: write [443, ...] with ports up to 65535."
  }
}

variable "internal" {
  type        = bool
  description = "Put the load balancer into the private subnets, for callers inside the network alone."
  default     = false
  nullable    = false
}

variable "allowed_cidrs" {
  type        = list(string)
  description = "From where the gateway may be called. Who calls is asked for a token in any case."
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = length(var.allowed_cidrs) > 0 && alltrue([for cidr in var.allowed_cidrs : can(cidrnetmask(cidr))])
    error_message = "`allowed_cidrs` is empty or has an entry that is no range of IPv4 addresses: write such as [\"203.0.113.0/24\"]."
  }
}

variable "admin_security_group_ids" {
  type        = list(string)
  description = "Security groups that reach port 8081 of the tasks: Prometheus, or a machine from which people see the dashboard. config.toml must let the port listen there, `listen = \"0.0.0.0:8081\"` below [admin]."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.admin_security_group_ids : startswith(id, "sg-")]) && (length(var.admin_security_group_ids) == 0 || can(regex("(?m)^\\s*(admin\\.)?listen\\s*=\\s*\"(0\\.0\\.0\\.0|\\[::\\]):8081\"", var.config_toml)))
    error_message = "`admin_security_group_ids` has an entry that is no security group (\"sg-...\"), or config.toml keeps the admin port to itself: write `listen = \"0.0.0.0:8081\"` below [admin]."
  }
}

# The load balancer in front.

variable "certificate_arn" {
  type        = string
  description = "A certificate of ACM for the host name that clients use. Give it, or `domain_name` with `hosted_zone_id`."
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:[^:]+:[0-9]{12}:certificate/[0-9a-f-]+$", var.certificate_arn))
    error_message = "`certificate_arn` is no ARN of a certificate: write \"arn:aws:acm:REGION:ACCOUNT:certificate/ID\", of the same region."
  }

  validation {
    condition     = (var.certificate_arn == null) != (var.hosted_zone_id == null)
    error_message = "The gateway needs one certificate: write `certificate_arn`, or `domain_name` and `hosted_zone_id` to have one made and kept."
  }
}

variable "domain_name" {
  type        = string
  description = "The host name that clients use. With `hosted_zone_id` its certificate and its record are made here."
  default     = null

  validation {
    condition     = var.domain_name == null || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "`domain_name` is no host name: write one such as \"gateway.example.com\", without https:// and without a path."
  }
}

variable "hosted_zone_id" {
  type        = string
  description = "The Route 53 zone that `domain_name` is in."
  default     = null

  validation {
    condition     = var.hosted_zone_id == null || var.domain_name != null
    error_message = "`hosted_zone_id` needs the name to put there: write `domain_name` too."
  }
}

variable "idle_timeout_seconds" {
  type        = number
  description = "How long the load balancer keeps a connection on which nothing comes. Streams have a sign of life from the gateway every 15 s, so 70 is long enough for them however long a call takes. More is for clients that take no streams and wait in silence (or for enable_response_streaming = false): the gateway ends idle connections after limits.idle_seconds (75), so write more than this there, or a request in ten thousands may meet one that just ends, and get a 502."
  default     = 70
  nullable    = false

  validation {
    condition     = var.idle_timeout_seconds >= 30 && var.idle_timeout_seconds <= 4000
    error_message = "`idle_timeout_seconds` is too short for streams, or longer than a load balancer can: write 30 to 4000."
  }
}

variable "drain_seconds" {
  type        = number
  description = "How long calls under way may go on at a replica that is to end, before it is told to. It then gives what is left limits.drain_seconds (30; at most 110, for ECS ends it by force after 120 s). Calls may take up to 900 s (limits.call_seconds); a longer time makes each deployment as long."
  default     = 120
  nullable    = false

  validation {
    condition     = var.drain_seconds >= 0 && var.drain_seconds <= 3600
    error_message = "`drain_seconds` is out of range: write 0 to 3600."
  }
}

variable "sticky_seconds" {
  type        = number
  description = "How long a client that keeps cookies comes back to the same replica; 0 for never. Replicas pass on to each other what belongs to another one, so that no client needs it."
  default     = 0
  nullable    = false

  validation {
    condition     = var.sticky_seconds >= 0 && var.sticky_seconds <= 604800
    error_message = "`sticky_seconds` is out of range: write 0, or up to 604800, a week."
  }
}

variable "deletion_protection" {
  type        = bool
  description = "Have AWS refuse to delete the load balancer until this is false again."
  default     = false
  nullable    = false
}

variable "access_logs_bucket" {
  type        = string
  description = "A bucket for the load balancer's access logs, whose policy lets it write there. Default: none are kept."
  default     = null
}

variable "web_acl_arn" {
  type        = string
  description = "A web ACL of AWS WAF that requests pass first. Default: none, for cost."
  default     = null

  validation {
    condition     = var.web_acl_arn == null || can(regex("^arn:aws[a-z-]*:wafv2:[^:]+:[0-9]{12}:regional/webacl/.+$", var.web_acl_arn))
    error_message = "`web_acl_arn` is no ARN of a regional web ACL: write \"arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/NAME/ID\"."
  }
}
