# The function and what it serves. Its network and its API are in variables_network.tf and variables_api.tf.

variable "region" {
  description = "Region that everything is made in."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "`${var.region}` is no region: write one such as us-east-1."
  }
}

variable "name" {
  description = "Name of the function and its API, which the names of everything else begin with."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-zA-Z]+(-[0-9a-zA-Z]+)*$", var.name)) && length(var.name) <= 40
    error_message = "`${var.name}` cannot name a deployment: write at most 40 letters and digits, with single dashes between them, such as tools-dev."
  }
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}

variable "package_path" {
  description = "A zip file with the program for linux/arm64 as `bootstrap` and, where `config_toml` is too long for the environment, `config.toml` beside it. Or `image_uri`."
  type        = string
  default     = null

  validation {
    condition     = (var.package_path == null) != (var.image_uri == null)
    error_message = "The function runs one program: give package_path or image_uri, and not both."
  }

  validation {
    condition     = var.package_path == null ? true : fileexists(var.package_path)
    error_message = "There is no file `${coalesce(var.package_path, "-")}`: `just lambda-package` makes one."
  }
}

variable "image_uri" {
  description = "An image in ECR in this region, for linux/arm64, in place of `package_path`."
  type        = string
  default     = null

  validation {
    condition     = var.image_uri == null ? true : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[^:@]+(:[^:@]+|@sha256:[0-9a-f]{64})$", var.image_uri))
    error_message = "`${coalesce(var.image_uri, "-")}` is no image of ECR: write one such as 123456789012.dkr.ecr.us-east-1.amazonaws.com/causeway:1.0.0."
  }
}

variable "serves" {
  description = "What the function does: `gateway`, what config.toml says; or `sample.calculator`, `sample.hello` or `sample.cloudwatch-insights`, one server alone."
  type        = string
  default     = "gateway"

  validation {
    condition     = contains(["gateway", "sample.calculator", "sample.hello", "sample.cloudwatch-insights"], var.serves)
    error_message = "`${var.serves}` is nothing that the program serves: write gateway, sample.calculator, sample.hello or sample.cloudwatch-insights."
  }

  validation {
    condition     = var.serves == "gateway" || var.image_uri == null
    error_message = "An image serves the gateway: write serves = \"gateway\", or give package_path in place of image_uri."
  }
}

variable "config_toml" {
  description = "The text of config.toml, with these in it where they belong: $${public_url}, $${discovery_url}, $${client_id}, $${scope}. Null: the config.toml in the package."
  type        = string
  default     = null

  validation {
    condition     = var.config_toml == null ? true : length(var.config_toml) <= 3000
    error_message = "config_toml has ${length(coalesce(var.config_toml, "-"))} characters, and Lambda takes 4096 bytes of environment in all: put the file config.toml into the package beside bootstrap, and leave this out."
  }

  validation {
    condition     = var.serves == "gateway" || var.config_toml == null
    error_message = "A sample server reads no config.toml: leave config_toml out, or write serves = \"gateway\"."
  }

  validation {
    condition     = var.config_toml == null || var.nat || can(regex("(?m)^[ \\t]*(lambda\\.)?trust_api_gateway_authorizer[ \\t]*=[ \\t]*true", var.config_toml))
    error_message = "Without NAT the function cannot fetch the user pool's keys, since Cognito serves no pool with a domain by a VPC endpoint: write [lambda] with trust_api_gateway_authorizer = true in config_toml, or nat = true."
  }
}

variable "environment" {
  description = "Variables of the function's environment. No secrets: config.toml names those by the ARN of a secret."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.environment), ["CAUSEWAY_CONFIG_TOML"])) == 0
    error_message = "CAUSEWAY_CONFIG_TOML is written from config_toml: give the text there."
  }

  validation {
    condition     = alltrue([for name in keys(var.environment) : !can(regex("(?i)(secret|password|token|api_?key)$", name))])
    error_message = "What sounds like a secret must not be in the environment, where everyone reads it who may see the function: let config.toml name it by the ARN of a secret (client_secret_arn, key_arn)."
  }
}

variable "memory_mb" {
  description = "Memory of the function, which its share of a processor goes with."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "A function has 128 to 10240 MB: write one of them in place of ${var.memory_mb}."
  }
}

variable "timeout_seconds" {
  description = "For one request, of the function and of API Gateway. What takes longer is answered with an error half a second before."
  type        = number
  default     = 29

  validation {
    condition     = var.timeout_seconds >= 2 && var.timeout_seconds <= 29
    error_message = "API Gateway waits 29 seconds and no longer unless AWS raised that quota for you: write 2 to 29 in place of ${var.timeout_seconds}."
  }
}

variable "reserved_concurrency" {
  description = "How many requests it answers at once, which are then kept for it out of the account's. Default: as many as the account has left."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= 1
    error_message = "With ${coalesce(var.reserved_concurrency, 0)} nobody is answered: write 1 or more, or leave it out."
  }
}

variable "log_retention_days" {
  description = "For how long the logs of the function and of the API are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 or more days: write one of these in place of ${var.log_retention_days}."
  }
}

variable "readable_secret_arns" {
  description = "Secrets of Secrets Manager that config.toml names, and the function may read."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.readable_secret_arns : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*]+$", arn))])
    error_message = "readable_secret_arns are whole ARNs of secrets: write some such as arn:aws:secretsmanager:us-east-1:123456789012:secret:orders-AbCdEf."
  }
}

variable "runtime_arns" {
  description = "AgentCore Runtimes that the function calls with its own signature (`credential.sigv4`)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.runtime_arns : can(regex("^arn:aws[a-z-]*:bedrock-agentcore:[a-z0-9-]+:[0-9]{12}:runtime/[a-zA-Z0-9_-]+$", arn))])
    error_message = "runtime_arns are ARNs of Runtimes: write some such as arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/orders-a1b2c3d4e5."
  }
}

variable "log_groups" {
  description = "Log groups that `sample.cloudwatch-insights` may query: the same list is its allow list and that of its role."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.log_groups) == 0 || var.serves == "sample.cloudwatch-insights"
    error_message = "The gateway reads no logs: leave log_groups out, or write serves = \"sample.cloudwatch-insights\"."
  }

  validation {
    condition     = alltrue([for name in var.log_groups : can(regex("^[a-zA-Z0-9_/.#-]{1,512}$", name))])
    error_message = "log_groups are names of log groups, without wildcards: write some such as /aws/lambda/orders."
  }
}
