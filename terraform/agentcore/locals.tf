# Names and values that are derived from the variables.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  dns_suffix = data.aws_partition.current.dns_suffix

  # Of each server: what it is called at each place, and what is made for it.
  servers = {
    for name, server in var.servers : name => merge(server, {
      agent_name    = replace(name, "-", "_")
      target_name   = "${name}-target"
      is_built      = server.source_directory != null
      uses_jwt      = server.authorization == "jwt"
      has_settings  = server.runtime_config != null || length(server.log_groups) > 0
      makes_role    = server.execution_role_arn == null
      from_ecr      = server.image_uri == null || !startswith(coalesce(server.image_uri, "-"), "public.ecr.aws/")
      image_in_ecr  = try(regex("^(?P<account>[0-9]{12})\\.dkr\\.ecr\\.(?P<region>[a-z0-9-]+)\\.[^/]+/(?P<name>[^:@]+)", server.image_uri), null)
      given_version = server.image_uri == null ? null : substr(sha256(server.image_uri), 0, 20)
    })
  }

  with_jwt      = { for name, server in local.servers : name => server if server.uses_jwt }
  with_build    = { for name, server in local.servers : name => server if server.is_built }
  with_settings = { for name, server in local.servers : name => server if server.has_settings }
  with_role     = { for name, server in local.servers : name => server if server.makes_role }

  # Targets that run already and are shown tokens.
  with_client = { for name, target in var.targets : name => target.client_credentials if target.client_credentials != null }

  calls_with_credentials = length(local.servers) + length(local.with_client) > 0
}
