# One MCP server behind the gateway. The gateway lists it when it is made and when it changes, and not by itself: see `revision`.

resource "aws_bedrockagentcore_gateway_target" "this" {
  name               = var.name
  gateway_identifier = var.gateway_id
  description        = trimspace("${substr(var.description, 0, 150)} ${var.revision == null ? "" : "(revision ${var.revision})"}")

  target_configuration {
    mcp {
      mcp_server {
        endpoint = var.endpoint
      }
    }
  }

  dynamic "credential_provider_configuration" {
    for_each = var.oauth == null ? [] : [var.oauth]

    content {
      oauth {
        provider_arn = credential_provider_configuration.value.provider_arn
        scopes       = credential_provider_configuration.value.scopes
        # Said although it is the default: without it the gateway has been seen to fail on the answer.
        grant_type = "CLIENT_CREDENTIALS"
      }
    }
  }

  dynamic "credential_provider_configuration" {
    for_each = var.signing_region == null ? [] : [var.signing_region]

    content {
      gateway_iam_role {
        service = "bedrock-agentcore"
        region  = credential_provider_configuration.value
      }
    }
  }

  # One session of a client is one microVM of Runtime, instead of a new one for every call.
  dynamic "metadata_configuration" {
    for_each = var.keeps_sessions ? [["Mcp-Session-Id"]] : []

    content {
      allowed_request_headers  = metadata_configuration.value
      allowed_response_headers = metadata_configuration.value
    }
  }
}
