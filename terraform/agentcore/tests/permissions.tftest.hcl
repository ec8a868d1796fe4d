# Who may do what: the two roles, and the one list of log groups.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "the_gateway_reads_no_logs" {
  module {
    source = "../modules/gateway"
  }

  variables {
    name                   = "Team-Tools"
    account_id             = "123456789012"
    region                 = "us-east-1"
    partition              = "aws"
    mcp_versions           = ["2025-11-25"]
    calls_with_credentials = true
    oauth_provider_arns    = ["arn:aws:bedrock-agentcore:us-east-1:123456789012:token-vault/default/oauth2credentialprovider/calculator-identity"]
    oauth_secret_arns      = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:s-AbCdEf"]
    iam_runtime_arns       = ["arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/hello-AbCdE12345"]
  }

  assert {
    condition     = toset(flatten([for it in jsondecode(aws_iam_role_policy.this[0].policy).Statement : it.Action])) == toset(["bedrock-agentcore:GetWorkloadAccessToken", "bedrock-agentcore:GetResourceOauth2Token", "secretsmanager:GetSecretValue", "bedrock-agentcore:InvokeAgentRuntime"])
    error_message = "The gateway gets tokens and calls Runtimes, and may do nothing else; above all it reads no logs."
  }

  assert {
    condition     = !contains(flatten([for it in jsondecode(aws_iam_role_policy.this[0].policy).Statement : it.Resource]), "*")
    error_message = "Each of its actions knows what it may be done to."
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.ArnLike["aws:SourceArn"] == "arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/team-tools-*"
    error_message = "The role is for this gateway alone, whose id is in small letters."
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "The role is for this account alone."
  }

  assert {
    condition     = aws_iam_role.this.name == "Team-Tools-role"
    error_message = "The gateway's role is GATEWAY-role."
  }
}

run "a_gateway_that_calls_nobody_may_do_nothing" {
  variables {
    target_secrets = {}
    gateway_name   = "tools"
    servers        = {}
    targets        = { open = { endpoint = "https://open.example.com/mcp" } }
  }

  assert {
    condition     = !local.calls_with_credentials
    error_message = "A role without anything to do has no policy."
  }
}

run "a_server_writes_metrics_of_agentcore_alone" {
  module {
    source = "../modules/execution-role"
  }

  variables {
    name           = "calculator"
    agent_name     = "calculator"
    account_id     = "123456789012"
    region         = "us-east-1"
    partition      = "aws"
    pulls_from_ecr = false
  }

  assert {
    condition     = [for it in jsondecode(output.policy).Statement : it.Condition.StringEquals["cloudwatch:namespace"] if contains(it.Action, "cloudwatch:PutMetricData")] == ["bedrock-agentcore"]
    error_message = "Its metrics have AgentCore's namespace and no other."
  }
}

run "a_server_queries_the_listed_log_groups_alone" {
  module {
    source = "../modules/execution-role"
  }

  variables {
    name               = "cloudwatch-insights"
    agent_name         = "cloudwatch_insights"
    account_id         = "123456789012"
    region             = "us-east-1"
    partition          = "aws"
    pulls_from_ecr     = true
    repository_arn     = "arn:aws:ecr:us-east-1:123456789012:repository/cloudwatch-insights"
    runtime_config_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:cloudwatch-insights-runtime-config-AbCdEf"
    log_groups         = ["/aws/lambda/orders", "/ecs/*"]
  }

  assert {
    condition = [for it in jsondecode(output.policy).Statement : it.Resource if contains(it.Action, "logs:StartQuery")] == [[
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/orders",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/orders:*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/*",
    ]]
    error_message = "A query reads the listed groups, and `/aws/lambda/orders` is not `/aws/lambda/orders-internal`."
  }

  assert {
    condition     = aws_iam_role_policy.this.policy == output.policy
    error_message = "What is shown is what the role may do."
  }

  assert {
    condition     = alltrue([for action in flatten([for it in jsondecode(output.policy).Statement : it.Action]) : !strcontains(action, "*")])
    error_message = "Each action is named."
  }
}

run "a_server_without_log_groups_queries_none" {
  module {
    source = "../modules/execution-role"
  }

  variables {
    name           = "calculator"
    agent_name     = "calculator"
    account_id     = "123456789012"
    region         = "us-east-1"
    partition      = "aws"
    pulls_from_ecr = false
  }

  assert {
    condition = toset(flatten([for it in jsondecode(output.policy).Statement : it.Action if anytrue([for action in it.Action : startswith(action, "logs:")])])) == toset([
      "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents",
    ])
    error_message = "A server writes its own log and reads no other."
  }

  assert {
    condition     = length([for it in jsondecode(output.policy).Statement : it if contains(["ReadItsSettings", "PullTheImage"], it.Sid)]) == 0
    error_message = "What there is not cannot be read."
  }
}

run "the_server_has_the_same_list" {
  module {
    source = "../modules/runtime-config"
  }

  variables {
    name       = "cloudwatch-insights"
    settings   = { QUERY_TIMEOUT = "30s" }
    log_groups = ["/aws/lambda/orders", "/ecs/*"]
  }

  assert {
    condition     = jsondecode(local.content) == { ALLOWED_LOG_GROUPS = "/aws/lambda/orders,/ecs/*", QUERY_TIMEOUT = "30s" }
    error_message = "The settings have the list that the role's policy is made of."
  }

  assert {
    condition     = aws_secretsmanager_secret_version.this.secret_string == null
    error_message = "The state does not have the settings."
  }
}

run "a_role_that_exists_is_taken" {
  variables {
    target_secrets = {}
    gateway_name   = "tools"
    servers = {
      mine  = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1", execution_role_arn = "arn:aws:iam::123456789012:role/mine" }
      other = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/other:1" }
    }
  }

  assert {
    condition     = output.runtimes["mine"].execution_role_arn == "arn:aws:iam::123456789012:role/mine" && keys(module.execution_role) == ["other"]
    error_message = "A role is made for who has none."
  }
}
