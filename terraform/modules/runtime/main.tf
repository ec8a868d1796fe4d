# One MCP server on AgentCore Runtime. The container serves 0.0.0.0:8000/mcp for linux/arm64, stateless; Runtime starts one microVM a session.

locals {
  in_vpc = length(var.subnet_ids) > 0

  # Another version of the settings is another version of the Runtime, so that its next session has read them.
  settings = var.runtime_config == null ? {} : {
    RUNTIME_CONFIG_SECRET_ID = var.runtime_config.arn
    RUNTIME_CONFIG_VERSION   = var.runtime_config.version
  }

  # Both or neither. AWS makes up the one that is left out, and the provider takes that for a mistake of its own and fails
  # (https://github.com/hashicorp/terraform-provider-aws/issues/45290). So what AWS would make up is said: 15 minutes and 8 hours, and
  # never idle for longer than alive.
  limited      = var.idle_timeout_seconds != null || var.max_lifetime_seconds != null
  idle_timeout = local.limited ? coalesce(var.idle_timeout_seconds, min(900, coalesce(var.max_lifetime_seconds, 900))) : null
  max_lifetime = local.limited ? coalesce(var.max_lifetime_seconds, max(28800, coalesce(var.idle_timeout_seconds, 28800))) : null
}

resource "aws_bedrockagentcore_agent_runtime" "this" {
  agent_runtime_name    = var.agent_name
  description           = var.description
  role_arn              = var.role_arn
  environment_variables = merge({ AWS_REGION = var.region }, var.environment, local.settings)

  agent_runtime_artifact {
    container_configuration {
      container_uri = var.image_uri
    }
  }

  protocol_configuration {
    server_protocol = "MCP"
  }

  network_configuration {
    network_mode = local.in_vpc ? "VPC" : "PUBLIC"

    dynamic "network_mode_config" {
      for_each = local.in_vpc ? [true] : []

      content {
        subnets         = var.subnet_ids
        security_groups = var.security_group_ids
      }
    }
  }

  # Without it, Runtime asks for a signature of AWS.
  dynamic "authorizer_configuration" {
    for_each = var.authorizer == null ? [] : [var.authorizer]

    content {
      custom_jwt_authorizer {
        discovery_url   = authorizer_configuration.value.discovery_url
        allowed_clients = authorizer_configuration.value.allowed_clients
      }
    }
  }

  dynamic "request_header_configuration" {
    for_each = length(var.allowed_request_headers) == 0 ? [] : [var.allowed_request_headers]

    content {
      request_header_allowlist = request_header_configuration.value
    }
  }

  dynamic "lifecycle_configuration" {
    for_each = local.limited ? [true] : []

    content {
      idle_runtime_session_timeout = local.idle_timeout
      max_lifetime                 = local.max_lifetime
    }
  }
}
