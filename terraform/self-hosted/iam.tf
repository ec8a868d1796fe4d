# Two roles: one with which ECS starts a task, and the gateway's own. Neither may do more than the variables name.

locals {
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # Nobody else's tasks, whatever they are told to take this role for.
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.here.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${data.aws_partition.here.partition}:ecs:${var.region}:${data.aws_caller_identity.here.account_id}:*" }
      }
    }]
  })

  repository = try(regex("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com[a-z.]*/([^:@]+)", var.image), null)

  # What starting a task needs: the image, the log, the secrets that the container gets as variables.
  execution_statements = [for statement in [
    {
      Sid      = "Log"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["${aws_cloudwatch_log_group.gateway.arn}:*"]
    },
    {
      Sid      = "SecretsOfVariables"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = concat([local.session_key.secret_arn], [for arn in local.secret_arns : arn if strcontains(arn, ":secretsmanager:")])
    },
    {
      Sid      = "ParametersOfVariables"
      Action   = ["ssm:GetParameters"]
      Resource = [for arn in local.secret_arns : arn if strcontains(arn, ":ssm:")]
    },
    {
      Sid      = "Decrypt"
      Action   = ["kms:Decrypt"]
      Resource = distinct(concat(var.secret_kms_key_arns, var.kms_key_arn[*]))
    },
    {
      Sid      = "Image"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = local.repository == null ? [] : ["arn:${data.aws_partition.here.partition}:ecr:${local.repository[1]}:${local.repository[0]}:repository/${local.repository[2]}"]
    },
    {
      # AWS knows no resource of this action: it is a login to all registries that the rest lets in to.
      Sid      = "RegistryLogin"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = local.repository == null ? [] : ["*"]
    },
  ] : merge({ Effect = "Allow" }, statement) if length(statement.Resource) > 0]

  # What the gateway itself calls.
  task_statements = [for statement in [
    {
      Sid      = "Secrets"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = [for arn in var.readable_secret_arns : arn if strcontains(arn, ":secretsmanager:")]
    },
    {
      Sid      = "Parameters"
      Action   = ["ssm:GetParameter"]
      Resource = [for arn in var.readable_secret_arns : arn if strcontains(arn, ":ssm:")]
    },
    {
      Sid      = "Decrypt"
      Action   = ["kms:Decrypt"]
      Resource = length(var.readable_secret_arns) > 0 ? var.secret_kms_key_arns : []
    },
    {
      Sid      = "Runtimes"
      Action   = ["bedrock-agentcore:InvokeAgentRuntime"]
      Resource = flatten([for arn in var.runtime_arns : [arn, "${arn}/runtime-endpoint/*"]])
    },
    {
      Sid      = "Gateways"
      Action   = ["bedrock-agentcore:InvokeGateway"]
      Resource = var.gateway_arns
    },
    {
      Sid      = "Functions"
      Action   = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]
      Resource = var.function_arns
    },
    {
      Sid      = "Roles"
      Action   = ["sts:AssumeRole"]
      Resource = var.assumable_role_arns
    },
    {
      Sid      = "SharedState"
      Action   = ["elasticache:Connect"]
      Resource = concat(aws_elasticache_serverless_cache.shared[*].arn, aws_elasticache_user.gateway[*].arn)
    },
  ] : merge({ Effect = "Allow" }, statement) if length(statement.Resource) > 0]
}

resource "aws_iam_role" "execution" {
  name_prefix        = "${var.name}-execution-"
  description        = "Starts tasks of the Causeway deployment ${var.name}"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.execution_statements })
}

resource "aws_iam_role" "task" {
  name_prefix        = "${var.name}-gateway-"
  description        = "The gateway of the Causeway deployment ${var.name}"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "task" {
  count = length(local.task_statements) > 0 ? 1 : 0

  name   = "call"
  role   = aws_iam_role.task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.task_statements })
}
