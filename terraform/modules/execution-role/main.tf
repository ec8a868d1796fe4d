# The role that one server runs as on AgentCore Runtime: what every server needs there, its settings, and the log groups that it may
# query, if there are any.

locals {
  arn = "${var.partition}:%s:${var.region}:${var.account_id}"

  core       = "arn:${format(local.arn, "bedrock-agentcore")}"
  logs       = "arn:${format(local.arn, "logs")}:log-group"
  own_log    = "${local.logs}:/aws/bedrock-agentcore/runtimes/${var.agent_name}-*"
  workload   = "${local.core}:workload-identity-directory/default"
  readable   = flatten([for group in var.log_groups : endswith(group, "*") ? ["${local.logs}:${group}"] : ["${local.logs}:${group}", "${local.logs}:${group}:*"]])
  own_images = var.repository_arn == null ? [] : [var.repository_arn]
  settings   = var.runtime_config_arn == null ? [] : [var.runtime_config_arn]

  statements = [
    {
      Sid      = "PullTheImage"
      Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = local.own_images
    },
    {
      # The one action of ECR that knows no resource.
      Sid      = "LogInToTheRegistry"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = var.pulls_from_ecr ? ["*"] : []
    },
    {
      Sid      = "WriteItsOwnLog"
      Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = [local.own_log]
    },
    {
      # X-Ray knows no resource for what writes traces.
      Sid      = "WriteTraces"
      Action   = ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      Resource = ["*"]
    },
    {
      # CloudWatch knows no resource for metrics, so the namespace bounds them. As in AWS's own policy for such a role:
      # https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html
      Sid       = "WriteMetrics"
      Action    = ["cloudwatch:PutMetricData"]
      Resource  = ["*"]
      Condition = { StringEquals = { "cloudwatch:namespace" = "bedrock-agentcore" } }
    },
    {
      Sid = "ShowWhoItIs"
      Action = [
        "bedrock-agentcore:GetWorkloadAccessToken",
        "bedrock-agentcore:GetWorkloadAccessTokenForJWT",
        "bedrock-agentcore:GetWorkloadAccessTokenForUserId",
      ]
      Resource = [local.workload, "${local.workload}/workload-identity/${var.agent_name}-*"]
    },
    {
      Sid      = "ReadItsSettings"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = local.settings
    },
    {
      # The second guard of the log groups. The first is the server, which has the same list among its settings.
      Sid      = "QueryTheListedLogGroups"
      Action   = ["logs:GetLogGroupFields", "logs:StartQuery"]
      Resource = local.readable
    },
    {
      # A query is not a resource of IAM: whoever knows its id, which only StartQuery tells, may follow it.
      Sid      = "FollowItsQueries"
      Action   = ["logs:GetQueryResults", "logs:StopQuery"]
      Resource = length(local.readable) == 0 ? [] : ["*"]
    },
    {
      # Names only, and CloudWatch takes no narrower resource; the server shows those of the list.
      Sid      = "NameLogGroups"
      Action   = ["logs:DescribeLogGroups"]
      Resource = length(local.readable) == 0 ? [] : ["${local.logs}:*"]
    },
  ]

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for it in local.statements : merge({ Effect = "Allow" }, it) if length(it.Resource) > 0]
  })
}

resource "aws_iam_role" "this" {
  name        = "${var.name}-execution-role"
  description = "The MCP server ${var.name} on AgentCore Runtime"

  # Only AgentCore, and only for Runtimes of this account: nobody else's can make the service take this role.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "bedrock-agentcore.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "${local.core}:*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  #checkov:skip=CKV_AWS_290:Only actions that know no resource have none, each with a comment above.
  #checkov:skip=CKV_AWS_355:Only actions that know no resource have none, each with a comment above.
  name   = "server"
  role   = aws_iam_role.this.id
  policy = local.policy
}
