# Where, and what it is called.

variable "region" {
  type        = string
  description = "The AWS region that everything is made in."
  default     = "us-east-1"
  nullable    = false
}

variable "name" {
  type        = string
  description = "What the names of all parts begin with, so that several deployments fit in one account."
  default     = "causeway"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9]){1,19}$", var.name))
    error_message = "`name` becomes a part of many names: write 2 to 20 lower-case letters, digits and single hyphens, the first a letter, such as \"causeway\"."
  }

  validation {
    condition     = !startswith(var.name, "internal-")
    error_message = "AWS keeps names that begin with \"internal-\" for load balancers of its own naming: write another `name`."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags that everything gets."
  default     = {}
  nullable    = false
}

# What runs.

variable "image" {
  type        = string
  description = "The gateway's image with its tag or digest, such as \"123456789012.dkr.ecr.us-east-1.amazonaws.com/causeway:1.0.0\". Without one nothing runs yet: everything else is made, so that the image can be pushed to the repository of `create_repository`."
  default     = null

  validation {
    condition     = var.image == null || can(regex("^[^\\s]+(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$", var.image))
    error_message = "`image` says no version: write a tag or a digest after it, such as \"example.com/causeway:1.0.0\"."
  }

  validation {
    condition     = !endswith(coalesce(var.image, "-"), ":latest")
    error_message = "`image` ends in \":latest\", which means another image tomorrow, and nobody sees what runs: write the tag of a version, such as \":1.0.0\", or a digest."
  }
}

variable "create_repository" {
  type        = bool
  description = "Make an ECR repository for the image, with tags that stay what they are and a scan of each push."
  default     = false
  nullable    = false
}

variable "cpu_architecture" {
  type        = string
  description = "What the image is built for: \"ARM64\" or \"X86_64\". ARM64 costs a fifth less."
  default     = "ARM64"
  nullable    = false

  validation {
    condition     = contains(["ARM64", "X86_64"], var.cpu_architecture)
    error_message = "`cpu_architecture` is neither: write \"ARM64\" or \"X86_64\"."
  }
}

variable "cpu" {
  type        = number
  description = "CPU of each replica, in units of which 1024 are one core."
  default     = 512
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "Fargate does not have this `cpu`: write 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "memory" {
  type        = number
  description = "Memory of each replica, in MiB."
  default     = 1024
  nullable    = false

  validation {
    condition = contains(try({
      "256"   = [512, 1024, 2048]
      "512"   = range(1024, 4097, 1024)
      "1024"  = range(2048, 8193, 1024)
      "2048"  = range(4096, 16385, 1024)
      "4096"  = range(8192, 30721, 1024)
      "8192"  = range(16384, 61441, 4096)
      "16384" = range(32768, 122881, 8192)
    }[tostring(var.cpu)], [var.memory]), var.memory)
    error_message = "Fargate does not have this `memory` with this `cpu`: write one to four times as many MiB as `cpu` has units, in whole GiB, such as 1024 with 512."
  }
}

variable "config_toml" {
  type        = string
  description = "The text of the gateway's configuration, usually file(\"config.toml\"). It reaches the gateway in the variable CAUSEWAY_CONFIG_TOML of its environment."
  nullable    = false

  # A task definition may have 64 KiB, all that it says counted as JSON.
  validation {
    condition     = length(base64encode(jsonencode(var.config_toml))) * 3 / 4 <= 48 * 1024
    error_message = "`config_toml` is longer than the 48 KiB that fit into a task definition beside the rest: take out the comments (`grep -v '^ *#' config.toml`)."
  }

  validation {
    condition     = can(regex("(?m)^\\s*(gateway\\.)?listen\\s*=\\s*\"(0\\.0\\.0\\.0|\\[::\\]):8080\"", var.config_toml))
    error_message = "`config_toml` does not let the load balancer in: write `listen = \"0.0.0.0:8080\"` below [gateway]."
  }

  validation {
    condition     = can(regex("(?m)^\\s*(gateway\\.)?public_url\\s*=\\s*\"https://[^\"]+/mcp\"", var.config_toml))
    error_message = "`config_toml` does not say by which URL clients know the gateway, and behind a load balancer it cannot know: write `public_url = \"https://gateway.example.com/mcp\"` below [gateway]."
  }

  validation {
    condition     = var.domain_name == null || strcontains(var.config_toml, "\"https://${coalesce(var.domain_name, "-")}/mcp\"")
    error_message = "`config_toml` and `domain_name` name two hosts: write `public_url = \"https://DOMAIN_NAME/mcp\"` with the same name."
  }

  validation {
    condition     = can(regex("(?m)^[^#\\n]*CAUSEWAY_SESSION_KEY\"", var.config_toml)) || can(regex("(?m)^\\s*(sessions\\.)?mode\\s*=\\s*\"off\"", var.config_toml))
    error_message = "`config_toml` has replicas make a key for sessions each, and none can read those of another: write `key_env = [\"CAUSEWAY_SESSION_KEY\"]` below [sessions]. The key is made here."
  }
}

variable "environment" {
  type        = map(string)
  description = "Further variables of the gateway's environment, such as OTEL_EXPORTER_OTLP_ENDPOINT or RUST_LOG. Not for secrets: whoever may see the task definition sees them."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name)) && !startswith(name, "CAUSEWAY_CONFIG") && !startswith(name, "CAUSEWAY_SESSION_KEY") && name != "CAUSEWAY_REDIS_URL"])
    error_message = "`environment` has a name that is none, or one that is set here already (CAUSEWAY_CONFIG..., CAUSEWAY_SESSION_KEY..., CAUSEWAY_REDIS_URL): write the configuration into `config_toml`."
  }
}

# Secrets, by reference alone.

variable "secrets" {
  type        = map(string)
  description = "Which secret each variable that config.toml names holds: name of the variable => ARN of a Secrets Manager secret or an SSM parameter. For one member of a JSON secret put `:member::` after the ARN."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for arn in values(var.secrets) : can(regex("^arn:aws[a-z-]*:(secretsmanager:[^:]+:[0-9]{12}:secret:[^:]+(:[^:]*:[^:]*:[^:]*)?|ssm:[^:]+:[0-9]{12}:parameter/.+)$", arn))])
    error_message = "`secrets` has a value that is no ARN of a secret or a parameter. Secrets never stand here: put the value into Secrets Manager and write its ARN, \"arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf\"."
  }

  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name)) && name != "CAUSEWAY_SESSION_KEY" && !contains(keys(var.environment), name)])
    error_message = "`secrets` has a name that is none, that `environment` has too, or that is set here already (CAUSEWAY_SESSION_KEY): write the names that config.toml has after client_secret_env, key_env and so on."
  }
}

variable "readable_secret_arns" {
  type        = list(string)
  description = "Secrets and parameters that config.toml names by their ARNs (client_secret_arn, key_arn, secret_access_key_arn): the gateway may read these itself, and no others."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.readable_secret_arns : can(regex("^arn:aws[a-z-]*:(secretsmanager:[^:]+:[0-9]{12}:secret:[^:*]+|ssm:[^:]+:[0-9]{12}:parameter/[^*]+)$", arn))])
    error_message = "`readable_secret_arns` has an entry that is no whole ARN: write it as config.toml does, \"arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf\" or \"arn:aws:ssm:REGION:ACCOUNT:parameter/NAME\"."
  }
}

variable "secret_kms_key_arns" {
  type        = list(string)
  description = "KMS keys of your own that those secrets are encrypted with. Not needed for AWS's own keys."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.secret_kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[^:]+:[0-9]{12}:key/[0-9A-Za-z-]+$", arn))])
    error_message = "`secret_kms_key_arns` has an entry that is no ARN of a key: write \"arn:aws:kms:REGION:ACCOUNT:key/ID\"; permissions cannot name an alias."
  }
}

variable "session_key_secret_arn" {
  type        = string
  description = "A secret of Secrets Manager that holds the key for sealing sessions, at least 32 bytes. Default: one is made, with a key that nobody sees."
  default     = null

  validation {
    condition     = var.session_key_secret_arn == null || can(regex("^arn:aws[a-z-]*:secretsmanager:[^:]+:[0-9]{12}:secret:[^:*]+$", var.session_key_secret_arn))
    error_message = "`session_key_secret_arn` is no ARN of a secret: write \"arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf\", or leave it out to have a key made."
  }
}

variable "session_key_version" {
  type        = number
  description = "Raise it by one to have a new key made for sealing sessions. From 2 on the gateway gets the one before too, as CAUSEWAY_SESSION_KEY_BEFORE: name both in config.toml, the new one first, and open sessions go on."
  default     = 1
  nullable    = false

  validation {
    condition     = var.session_key_version >= 1 && floor(var.session_key_version) == var.session_key_version
    error_message = "`session_key_version` counts from 1: write 1, 2, 3 and so on."
  }

  validation {
    condition     = var.session_key_version == 1 || var.session_key_secret_arn == null
    error_message = "`session_key_version` is for the key that is made here, and `session_key_secret_arn` names another: write one of the two; put a key of before into `secrets`."
  }

  validation {
    condition     = var.session_key_version == 1 || can(regex("(?m)^[^#\\n]*CAUSEWAY_SESSION_KEY_BEFORE", var.config_toml))
    error_message = "With `session_key_version` above 1 sessions of before end unless config.toml names both keys: write `key_env = [\"CAUSEWAY_SESSION_KEY\", \"CAUSEWAY_SESSION_KEY_BEFORE\"]` below [sessions]."
  }
}

# What the gateway may call on AWS.

variable "runtime_arns" {
  type        = list(string)
  description = "AgentCore Runtimes that the gateway calls with its own signature (http.runtime_arn with credential.sigv4)."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.runtime_arns : can(regex("^arn:aws[a-z-]*:bedrock-agentcore:[^:]+:[0-9]{12}:runtime/[A-Za-z0-9_-]+$", arn))])
    error_message = "`runtime_arns` has an entry that is no ARN of a Runtime: write \"arn:aws:bedrock-agentcore:REGION:ACCOUNT:runtime/ID\"."
  }
}

variable "gateway_arns" {
  type        = list(string)
  description = "AgentCore Gateways that the gateway calls with its own signature (kind = \"agentcore-gateway\" with credential.sigv4)."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.gateway_arns : can(regex("^arn:aws[a-z-]*:bedrock-agentcore:[^:]+:[0-9]{12}:gateway/[a-z0-9-]+$", arn))])
    error_message = "`gateway_arns` has an entry that is no ARN of a gateway: write \"arn:aws:bedrock-agentcore:REGION:ACCOUNT:gateway/ID\"."
  }
}

variable "function_arns" {
  type        = list(string)
  description = "Lambda functions whose URLs the gateway calls with its own signature (credential.sigv4 with service = \"lambda\")."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.function_arns : can(regex("^arn:aws[a-z-]*:lambda:[^:]+:[0-9]{12}:function:[A-Za-z0-9_-]+$", arn))])
    error_message = "`function_arns` has an entry that is no ARN of a function: write \"arn:aws:lambda:REGION:ACCOUNT:function:NAME\"."
  }
}

variable "assumable_role_arns" {
  type        = list(string)
  description = "Roles that the gateway takes for some targets (credential.sigv4 with role_arn). Their trust policies must name the gateway's role, the output `task_role_arn`."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.assumable_role_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[^*]+$", arn))])
    error_message = "`assumable_role_arns` has an entry that is no ARN of a role: write \"arn:aws:iam::ACCOUNT:role/NAME\"."
  }
}
