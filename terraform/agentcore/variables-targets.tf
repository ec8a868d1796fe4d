# What is behind the gateway: servers that are made here, and MCP servers that run already.

variable "servers" {
  description = "MCP servers to run on AgentCore Runtime, by name. Each has its image_uri, or a source_directory with a Dockerfile that is built on AWS."
  type = map(object({
    description = optional(string, "")

    # Exactly one of the two.
    image_uri        = optional(string)
    source_directory = optional(string)
    # A repository of ECR that exists, for what is built; without one, one is made.
    ecr_repository = optional(string)

    environment = optional(map(string), {})
    # Settings that the server reads at its start from a secret of Secrets Manager.
    runtime_config = optional(map(string))
    # Log groups of CloudWatch that it may query: names or `prefix*`. One list, in its role's policy and among its settings.
    log_groups = optional(list(string), [])
    # A role that exists; without one, one is made.
    execution_role_arn = optional(string)

    # What the gateway shows it: jwt, a token of a user pool of its own, or iam, a signature of the gateway's role.
    authorization           = optional(string, "jwt")
    allowed_request_headers = optional(list(string), [])

    subnet_ids           = optional(list(string), [])
    security_group_ids   = optional(list(string), [])
    idle_timeout_seconds = optional(number)
    max_lifetime_seconds = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.servers) : can(regex("^[a-zA-Z][0-9a-zA-Z]*(-[0-9a-zA-Z]+)*$", name))])
    error_message = "A server's name is letters and digits with single dashes between them, and begins with a letter: write my-server in place of ${join(", ", [for name in keys(var.servers) : "`${name}`" if !can(regex("^[a-zA-Z][0-9a-zA-Z]*(-[0-9a-zA-Z]+)*$", name))])}."
  }

  validation {
    condition     = alltrue([for name in keys(var.servers) : length(name) >= 2 && length(name) <= 48])
    error_message = "A server's name has 2 to 48 characters: see ${join(", ", [for name in keys(var.servers) : "`${name}`" if length(name) < 2 || length(name) > 48])}."
  }

  validation {
    condition     = length(distinct([for name in keys(var.servers) : lower(name)])) == length(var.servers)
    error_message = "Two servers have the same name but for capitals: give them different ones."
  }

  # Roles and the domains of user pools are called after both.
  validation {
    condition     = alltrue([for name in keys(var.servers) : !contains([for end in ["", "-execution", "-build"] : lower("${name}${end}")], lower(var.gateway_name))])
    error_message = "A server has the gateway's name `${var.gateway_name}`, or that without -execution or -build, and their user pools and roles would have one name: give it another."
  }

  validation {
    condition     = alltrue([for server in var.servers : (server.image_uri == null) != (server.source_directory == null)])
    error_message = "A server has an image_uri or a source_directory, and not both: see ${join(", ", [for name, server in var.servers : "`${name}`" if(server.image_uri == null) == (server.source_directory == null)])}."
  }

  validation {
    condition     = alltrue([for server in var.servers : server.source_directory == null ? true : fileexists("${server.source_directory}/Dockerfile")])
    error_message = "A source_directory holds a Dockerfile: there is none in ${join(", ", [for server in var.servers : "`${server.source_directory}`" if server.source_directory == null ? false : !fileexists("${server.source_directory}/Dockerfile")])}."
  }

  validation {
    condition     = alltrue([for server in var.servers : server.image_uri == null || can(regex("^([0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?|public\\.ecr\\.aws)/[a-z0-9]+([._/-][a-z0-9]+)*(:[^:@]{1,300}|@sha256:[0-9a-f]{64})+$", server.image_uri))])
    error_message = "AgentCore Runtime takes images of ECR alone, with a tag or a digest: write 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-server:1.0."
  }

  validation {
    condition     = alltrue([for server in var.servers : server.ecr_repository == null || server.source_directory != null])
    error_message = "ecr_repository is where what is built goes: leave it out where there is an image_uri."
  }

  validation {
    condition     = alltrue(flatten([for server in var.servers : [for group in server.log_groups : can(regex("^[a-zA-Z0-9_/.#-]+\\*?$", group)) && length(group) <= 512]]))
    error_message = "A log group is a name, or the beginning of names and a star: write /aws/lambda/orders or /ecs/*, and never * alone."
  }

  validation {
    condition     = alltrue([for server in var.servers : !contains(keys(coalesce(server.runtime_config, {})), "ALLOWED_LOG_GROUPS") && !contains(keys(server.environment), "ALLOWED_LOG_GROUPS")])
    error_message = "ALLOWED_LOG_GROUPS is made of log_groups, so that the role's policy has the same list: write it there."
  }

  validation {
    condition     = alltrue([for server in var.servers : server.execution_role_arn == null || can(regex("^arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+$", server.execution_role_arn))])
    error_message = "execution_role_arn is the ARN of a role: write arn:aws:iam::123456789012:role/name."
  }

  validation {
    condition     = alltrue([for server in var.servers : contains(["jwt", "iam"], server.authorization)])
    error_message = "authorization is jwt or iam: see ${join(", ", [for name, server in var.servers : "`${name}`" if !contains(["jwt", "iam"], server.authorization)])}."
  }

  validation {
    condition     = alltrue([for server in var.servers : (length(server.subnet_ids) == 0) == (length(server.security_group_ids) == 0)])
    error_message = "A server in a VPC has subnet_ids and security_group_ids: give both, or neither for a server without a VPC."
  }

  validation {
    condition     = alltrue(flatten([for server in var.servers : [for seconds in [server.idle_timeout_seconds, server.max_lifetime_seconds] : seconds == null ? true : seconds >= 60 && seconds <= 1209600]]))
    error_message = "idle_timeout_seconds and max_lifetime_seconds are from 60 to 1209600 (two weeks)."
  }

  validation {
    condition     = alltrue([for server in var.servers : coalesce(server.idle_timeout_seconds, 0) <= coalesce(server.max_lifetime_seconds, 1209600)])
    error_message = "A session cannot be idle for longer than it lives: write an idle_timeout_seconds of at most max_lifetime_seconds."
  }

  validation {
    condition     = alltrue([for server in var.servers : length(server.allowed_request_headers) <= 20 && length(server.environment) <= 47])
    error_message = "A server takes at most 20 allowed_request_headers and 47 variables in environment."
  }
}

variable "targets" {
  description = "MCP servers that run already, by the name that their tools begin with. Those with client_credentials are shown tokens of that client, whose secret is in target_secrets."
  type = map(object({
    endpoint    = string
    description = optional(string, "")
    client_credentials = optional(object({
      client_id = string
      scopes    = optional(list(string), [])
      # The issuer's OpenID configuration, or, where it has none, the endpoint itself.
      discovery_url          = optional(string)
      token_endpoint         = optional(string)
      issuer                 = optional(string)
      authorization_endpoint = optional(string)
    }))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.targets) : can(regex("^[0-9a-zA-Z]+(-[0-9a-zA-Z]+)*$", name)) && length(name) <= 100])
    error_message = "A target's name is at most 100 letters and digits with single dashes between them: write my-target."
  }

  validation {
    condition     = length(setintersection(keys(var.targets), [for name in keys(var.servers) : "${name}-target"])) == 0
    error_message = "The target of the server NAME is called NAME-target: give yours other names."
  }

  # A credential provider is called after the gateway and the target, and has 128 characters.
  validation {
    condition     = length(setintersection([for name, target in var.targets : lower("${var.gateway_name}-${name}")], [for name in keys(var.servers) : lower(name)])) == 0
    error_message = "A server is called as the gateway and a target together, and their credential providers would have one name: give one of the two another."
  }

  validation {
    condition     = alltrue([for name, target in var.targets : target.client_credentials == null || length("${var.gateway_name}-${name}") <= 119])
    error_message = "The names of the gateway and of a target with client_credentials have at most 118 characters together: shorten one."
  }

  validation {
    condition     = alltrue([for target in var.targets : startswith(target.endpoint, "https://")])
    error_message = "AgentCore Gateway calls https endpoints alone: see ${join(", ", [for name, target in var.targets : "`${name}`" if !startswith(target.endpoint, "https://")])}."
  }

  validation {
    condition     = alltrue([for target in var.targets : target.client_credentials == null ? true : (target.client_credentials.discovery_url == null) != (target.client_credentials.token_endpoint == null)])
    error_message = "client_credentials has a discovery_url or a token_endpoint, and not both."
  }

  validation {
    condition     = alltrue([for target in var.targets : target.client_credentials == null ? true : target.client_credentials.discovery_url == null ? true : endswith(target.client_credentials.discovery_url, "/.well-known/openid-configuration")])
    error_message = "discovery_url is the whole URL of the issuer's OpenID configuration, up to /.well-known/openid-configuration."
  }
}

variable "target_secrets" {
  description = "Client secrets of targets with client_credentials, by the target's name. Give them in the variable TF_VAR_target_secrets of the environment; neither the plan nor the state holds them."
  type        = map(string)
  default     = {}
  nullable    = false
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = alltrue([for name, target in var.targets : target.client_credentials == null || contains(keys(var.target_secrets), name)])
    error_message = "A target with client_credentials needs its client's secret: add it to TF_VAR_target_secrets, as in {\"orders\": \"the-secret\"}."
  }
}

variable "target_secrets_version" {
  description = "Raise it when a secret of target_secrets is another one: it is sent again then."
  type        = number
  default     = 1
}
