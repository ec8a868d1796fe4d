# How many there are.

variable "min_replicas" {
  type        = number
  description = "Replicas that always run, spread over the zones."
  default     = 2
  nullable    = false

  validation {
    condition     = var.min_replicas >= 1
    error_message = "`min_replicas` is less than one: write 1 or more."
  }
}

variable "max_replicas" {
  type        = number
  description = "Replicas that run at most."
  default     = 6
  nullable    = false

  validation {
    condition     = var.max_replicas >= var.min_replicas
    error_message = "`max_replicas` is below `min_replicas`: write the same number or a higher one."
  }
}

variable "cpu_target_percent" {
  type        = number
  description = "Replicas are added so that they use so much of their CPU on average."
  default     = 60
  nullable    = false

  validation {
    condition     = var.cpu_target_percent >= 10 && var.cpu_target_percent <= 90
    error_message = "`cpu_target_percent` is out of range: write 10 to 90."
  }
}

variable "requests_target_per_minute" {
  type        = number
  description = "Replicas are added so that each gets so many requests a minute."
  default     = 3000
  nullable    = false

  validation {
    condition     = var.requests_target_per_minute >= 1
    error_message = "`requests_target_per_minute` is less than one: write how many requests one replica is to serve in a minute."
  }
}

# What they share.

variable "shared_state" {
  type        = bool
  description = "Make an ElastiCache Serverless cache (Valkey, TLS, the gateway's role as its only user) and give its URL to the gateway as CAUSEWAY_REDIS_URL. The replicas then fetch a server's token once for all, and count together for `rate_limits`. It costs from the first hour."
  default     = false
  nullable    = false
}

variable "shared_state_limits" {
  type = object({
    storage_gb      = optional(number, 1)
    ecpu_per_second = optional(number, 1000)
  })
  description = "What that cache may grow to, so that its cost has a bound."
  default     = {}
  nullable    = false

  validation {
    condition     = var.shared_state_limits.storage_gb >= 1 && var.shared_state_limits.storage_gb <= 5000 && var.shared_state_limits.ecpu_per_second >= 1000 && var.shared_state_limits.ecpu_per_second <= 15000000
    error_message = "`shared_state_limits` is out of range: write storage_gb from 1 to 5000 and ecpu_per_second from 1000 to 15000000."
  }
}

# What is seen of them.

variable "log_retention_days" {
  type        = number
  description = "How long logs are kept."
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs does not have this `log_retention_days`: write one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096 and so on up to 3653."
  }
}

variable "kms_key_arn" {
  type        = string
  description = "A KMS key of your own for the logs, the session key, the repository and the cache. Its policy must let the services use it, `logs.REGION.amazonaws.com` among them. Default: AWS's own keys."
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[^:]+:[0-9]{12}:key/[0-9A-Za-z-]+$", var.kms_key_arn))
    error_message = "`kms_key_arn` is no ARN of a key: write \"arn:aws:kms:REGION:ACCOUNT:key/ID\"."
  }
}

variable "container_insights" {
  type        = bool
  description = "Have CloudWatch keep numbers of each task, such as its network and its restarts. They cost by the task."
  default     = false
  nullable    = false
}

variable "alarm_topic_arns" {
  type        = list(string)
  description = "SNS topics that hear of alarms, and of their end. Default: none; the alarms are there all the same."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:aws[a-z-]*:sns:[^:]+:[0-9]{12}:[A-Za-z0-9_-]+(\\.fifo)?$", arn))])
    error_message = "`alarm_topic_arns` has an entry that is no ARN of a topic: write \"arn:aws:sns:REGION:ACCOUNT:NAME\"."
  }
}

variable "latency_alarm_seconds" {
  type        = number
  description = "An alarm says so when one of a hundred answers takes longer to begin. Streams begin at once; a tool that answers in one piece begins when it is done, so set it above your slow ones."
  default     = 30
  nullable    = false

  validation {
    condition     = var.latency_alarm_seconds > 0
    error_message = "`latency_alarm_seconds` is not above 0: write how long the slowest of a hundred answers may take to begin."
  }
}
