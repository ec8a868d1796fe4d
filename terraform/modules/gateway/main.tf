# The gateway and the role that it calls its targets with. The role may get tokens, call Runtimes, and nothing else: it reads no logs.

locals {
  core     = "arn:${var.partition}:bedrock-agentcore:${var.region}:${var.account_id}"
  workload = ["${local.core}:workload-identity-directory/default", "${local.core}:workload-identity-directory/default/workload-identity/${lower(var.name)}-*"]
  oauth    = length(var.oauth_provider_arns) > 0

  statements = [
    {
      Sid      = "ShowWhoItIs"
      Action   = ["bedrock-agentcore:GetWorkloadAccessToken"]
      Resource = local.oauth ? local.workload : []
    },
    {
      Sid      = "GetTokensForItsTargets"
      Action   = ["bedrock-agentcore:GetResourceOauth2Token"]
      Resource = local.oauth ? concat(["${local.core}:token-vault/default"], var.oauth_provider_arns, local.workload) : []
    },
    {
      Sid      = "ReadTheirClientSecrets"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = var.oauth_secret_arns
    },
    {
      Sid      = "CallItsRuntimes"
      Action   = ["bedrock-agentcore:InvokeAgentRuntime"]
      Resource = flatten([for arn in var.iam_runtime_arns : [arn, "${arn}/*"]])
    },
  ]

  # A policy must say something; this role may have nothing to do.
  allowed = [for it in local.statements : merge({ Effect = "Allow" }, it) if length(it.Resource) > 0]
}

resource "aws_iam_role" "this" {
  name        = "${var.name}-role"
  description = "The gateway ${var.name}, when it calls its targets"

  # Only AgentCore, and only for this gateway: nobody else's can make the service take this role.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "bedrock-agentcore.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "${local.core}:gateway/${lower(var.name)}-*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  count = var.calls_with_credentials ? 1 : 0

  name   = "targets"
  role   = aws_iam_role.this.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.allowed })
}

resource "aws_bedrockagentcore_gateway" "this" {
  name            = var.name
  description     = var.description
  role_arn        = aws_iam_role.this.arn
  protocol_type   = "MCP"
  authorizer_type = var.authorizer == null ? "AWS_IAM" : "CUSTOM_JWT"
  exception_level = var.debug ? "DEBUG" : null

  dynamic "authorizer_configuration" {
    for_each = var.authorizer == null ? [] : [var.authorizer]

    content {
      custom_jwt_authorizer {
        discovery_url   = authorizer_configuration.value.discovery_url
        allowed_clients = authorizer_configuration.value.allowed_clients
      }
    }
  }

  protocol_configuration {
    mcp {
      supported_versions = var.mcp_versions
      instructions       = var.instructions
      search_type        = var.semantic_search ? "SEMANTIC" : null
    }
  }
}
