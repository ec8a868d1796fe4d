data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

locals {
  partition = data.aws_partition.here.partition
  handler   = var.serves == "gateway" ? "bootstrap" : var.serves

  # What config.toml cannot know before all this is made.
  facts = {
    public_url    = "${module.api.url}/mcp"
    discovery_url = module.pool.discovery_url
    client_id     = module.pool.client_id
    scope         = module.pool.scope
  }
  config = var.config_toml == null ? {} : { CAUSEWAY_CONFIG_TOML = templatestring(var.config_toml, local.facts) }
  # The list that the role has too.
  allow_list  = length(var.log_groups) > 0 ? { ALLOWED_LOG_GROUPS = join(",", var.log_groups) } : {}
  environment = merge(var.environment, local.config, local.allow_list)

  log_group_arns = [for name in var.log_groups : "arn:${local.partition}:logs:${var.region}:${data.aws_caller_identity.here.account_id}:log-group:${name}"]
  statements = concat(
    length(var.readable_secret_arns) == 0 ? [] : [{
      Sid      = "ReadSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = var.readable_secret_arns
    }],
    length(var.runtime_arns) == 0 ? [] : [{
      Sid      = "CallRuntimes"
      Effect   = "Allow"
      Action   = ["bedrock-agentcore:InvokeAgentRuntime"]
      Resource = flatten([for arn in var.runtime_arns : [arn, "${arn}/runtime-endpoint/*"]])
    }],
    length(var.log_groups) == 0 ? [] : [
      {
        Sid      = "QueryLogs"
        Effect   = "Allow"
        Action   = ["logs:StartQuery", "logs:GetLogGroupFields"]
        Resource = flatten([for arn in local.log_group_arns : [arn, "${arn}:*"]])
      },
      {
        # AWS knows no resources for queries that run, and for the list of log groups.
        Sid      = "FollowQueries"
        Effect   = "Allow"
        Action   = ["logs:GetQueryResults", "logs:StopQuery", "logs:DescribeLogGroups"]
        Resource = ["*"]
      },
    ],
  )
}
