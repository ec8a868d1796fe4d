# What a server becomes: built or given, shown tokens or signatures, with a VPC or without.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "built_from_a_directory" {
  module {
    source = "../modules/server-image"
  }

  variables {
    name             = "calculator"
    source_directory = "./sample-server"
    bucket           = { id = "tools-source-1234", arn = "arn:aws:s3:::tools-source-1234" }
    account_id       = "123456789012"
    region           = "us-east-1"
    partition        = "aws"
  }

  assert {
    condition     = output.files == toset(["Dockerfile", "requirements.txt", "server.py"]) && aws_s3_object.source["server.py"].key == "calculator/server.py"
    error_message = "The directory lies in the bucket, below the server's name."
  }

  assert {
    condition     = aws_codebuild_project.this.environment[0].type == "ARM_CONTAINER" && aws_codebuild_project.this.source[0].location == "tools-source-1234/calculator/"
    error_message = "It is built for ARM64, from there."
  }

  assert {
    condition     = output.repository_url == "123456789012.dkr.ecr.us-east-1.amazonaws.com/calculator" && can(regex("^[0-9a-f]{20}$", output.tag))
    error_message = "The image's tag is derived from the source."
  }

  assert {
    condition     = aws_ecr_repository.this[0].image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this[0].image_scanning_configuration[0].scan_on_push && length(aws_ecr_lifecycle_policy.this) == 1
    error_message = "A tag always means the same image; images are scanned, and old ones go."
  }
}

run "built_into_a_repository_that_exists" {
  module {
    source = "../modules/server-image"
  }

  variables {
    name             = "calculator"
    source_directory = "./sample-server"
    repository_name  = "team/images"
    bucket           = { id = "tools-source-1234", arn = "arn:aws:s3:::tools-source-1234" }
    account_id       = "123456789012"
    region           = "us-east-1"
    partition        = "aws"
  }

  assert {
    condition     = length(aws_ecr_repository.this) == 0 && data.aws_ecr_repository.given[0].name == "team/images"
    error_message = "No repository is made beside one that exists."
  }
}

run "given_as_an_image" {
  variables {
    target_secrets = {}
    gateway_name   = "tools"
    servers        = { calculator = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/calculator:1" } }
  }

  assert {
    condition     = length(module.image) == 0 && length(module.build) == 0 && length(module.source_bucket) == 0 && output.runtimes["calculator"].image_uri == "123456789012.dkr.ecr.us-east-1.amazonaws.com/calculator:1"
    error_message = "Nothing is built where there is an image."
  }

  assert {
    condition     = output.runtimes["calculator"].endpoint == "https://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fcalculator-AbCdE12345/invocations?qualifier=DEFAULT"
    error_message = "The endpoint has the Runtime's ARN, encoded."
  }

  assert {
    condition     = output.runtimes["calculator"].runtime_config_secret_arn == null && output.runtimes["calculator"].build_project == null
    error_message = "A server without settings has no secret."
  }
}

run "as_a_runtime_with_tokens" {
  module {
    source = "../modules/runtime"
  }

  variables {
    agent_name     = "calculator"
    image_uri      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/calculator:1"
    role_arn       = "arn:aws:iam::123456789012:role/calculator-execution-role"
    region         = "us-east-1"
    environment    = { RUST_LOG = "info" }
    runtime_config = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:c-AbCdEf", version = "v1" }
    authorizer     = { discovery_url = "https://issuer.example.com/.well-known/openid-configuration", allowed_clients = ["a", "b"] }
  }

  assert {
    condition     = aws_bedrockagentcore_agent_runtime.this.protocol_configuration[0].server_protocol == "MCP" && aws_bedrockagentcore_agent_runtime.this.network_configuration[0].network_mode == "PUBLIC"
    error_message = "It speaks MCP and has the internet."
  }

  assert {
    condition     = aws_bedrockagentcore_agent_runtime.this.authorizer_configuration[0].custom_jwt_authorizer[0].allowed_clients == toset(["a", "b"])
    error_message = "Tokens of both clients let in."
  }

  assert {
    condition = aws_bedrockagentcore_agent_runtime.this.environment_variables == tomap({
      AWS_REGION               = "us-east-1"
      RUST_LOG                 = "info"
      RUNTIME_CONFIG_SECRET_ID = "arn:aws:secretsmanager:us-east-1:123456789012:secret:c-AbCdEf"
      RUNTIME_CONFIG_VERSION   = "v1"
    })
    error_message = "It finds its region, its variables and its settings."
  }
}

run "as_a_runtime_with_signatures_in_a_vpc" {
  module {
    source = "../modules/runtime"
  }

  variables {
    agent_name              = "calculator"
    image_uri               = "123456789012.dkr.ecr.us-east-1.amazonaws.com/calculator:1"
    role_arn                = "arn:aws:iam::123456789012:role/calculator-execution-role"
    region                  = "us-east-1"
    subnet_ids              = ["subnet-0123456789abcdef0"]
    security_group_ids      = ["sg-0123456789abcdef0"]
    idle_timeout_seconds    = 300
    allowed_request_headers = ["X-Correlation-Id"]
  }

  assert {
    condition     = length(aws_bedrockagentcore_agent_runtime.this.authorizer_configuration) == 0
    error_message = "Without an authorizer Runtime asks for signatures."
  }

  assert {
    condition     = aws_bedrockagentcore_agent_runtime.this.network_configuration[0].network_mode == "VPC" && aws_bedrockagentcore_agent_runtime.this.network_configuration[0].network_mode_config[0].subnets == toset(["subnet-0123456789abcdef0"])
    error_message = "It has an address in the subnet."
  }

  assert {
    condition     = aws_bedrockagentcore_agent_runtime.this.lifecycle_configuration[0].idle_runtime_session_timeout == 300 && aws_bedrockagentcore_agent_runtime.this.lifecycle_configuration[0].max_lifetime == 28800 && aws_bedrockagentcore_agent_runtime.this.request_header_configuration[0].request_header_allowlist == toset(["X-Correlation-Id"])
    error_message = "It ends when idle, and gets the header."
  }
}

run "as_a_runtime_that_ends_when_idle" {
  module {
    source = "../modules/runtime"
  }

  variables {
    agent_name           = "calculator"
    image_uri            = "123456789012.dkr.ecr.us-east-1.amazonaws.com/calculator:1"
    role_arn             = "arn:aws:iam::123456789012:role/calculator-execution-role"
    region               = "us-east-1"
    idle_timeout_seconds = 40000
  }

  assert {
    condition     = aws_bedrockagentcore_agent_runtime.this.lifecycle_configuration[0].max_lifetime == 40000
    error_message = "What is left out is said as well, or the provider fails on what AWS makes up; and no session is idle for longer than it lives."
  }
}

run "as_a_runtime_that_ends_in_any_case" {
  module {
    source = "../modules/runtime"
  }

  variables {
    agent_name           = "calculator"
    image_uri            = "123456789012.dkr.ecr.us-east-1.amazonaws.com/calculator:1"
    role_arn             = "arn:aws:iam::123456789012:role/calculator-execution-role"
    region               = "us-east-1"
    max_lifetime_seconds = 600
  }

  assert {
    condition     = aws_bedrockagentcore_agent_runtime.this.lifecycle_configuration[0].idle_runtime_session_timeout == 600 && aws_bedrockagentcore_agent_runtime.this.lifecycle_configuration[0].max_lifetime == 600
    error_message = "What is left out is said as well, or the provider fails on what AWS makes up; and no session is idle for longer than it lives."
  }
}

run "signed_for_by_the_gateway" {
  variables {
    target_secrets     = {}
    gateway_name       = "tools"
    gateway_authorizer = "iam"
    servers            = { calculator = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/calculator:1", authorization = "iam" } }
  }

  assert {
    condition     = length(module.server_pool) == 0 && length(module.server_identity) == 0 && length(module.user_pool) == 0
    error_message = "Signatures need no user pool and no credential provider."
  }

  assert {
    condition     = output.user_pool_id == null && output.client_secret == null && output.runtimes["calculator"].user_pool_id == null
    error_message = "What there is not is null."
  }

  assert {
    condition     = output.commands.list_tools == "causeway tools arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/tools-abcde12345" && !contains(keys(output.commands), "get_token")
    error_message = "The commands sign."
  }
}

run "as_a_target_with_tokens" {
  module {
    source = "../modules/gateway-target"
  }

  variables {
    name           = "calculator-target"
    gateway_id     = "tools-abcde12345"
    endpoint       = "https://example.com/mcp"
    description    = "Adds"
    revision       = "0123456789"
    keeps_sessions = true
    oauth          = { provider_arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:token-vault/default/oauth2credentialprovider/calculator-identity", scopes = ["calculator-id/invoke"] }
  }

  assert {
    condition     = aws_bedrockagentcore_gateway_target.this.credential_provider_configuration[0].oauth[0].grant_type == "CLIENT_CREDENTIALS" && length(aws_bedrockagentcore_gateway_target.this.credential_provider_configuration) == 1
    error_message = "The gateway gets tokens for itself."
  }

  assert {
    condition     = aws_bedrockagentcore_gateway_target.this.description == "Adds (revision 0123456789)"
    error_message = "Another revision is another description, so that the gateway lists the tools anew."
  }

  assert {
    condition     = aws_bedrockagentcore_gateway_target.this.metadata_configuration[0].allowed_request_headers == toset(["Mcp-Session-Id"])
    error_message = "A session stays on its microVM."
  }
}

run "as_a_target_with_signatures" {
  module {
    source = "../modules/gateway-target"
  }

  variables {
    name           = "calculator-target"
    gateway_id     = "tools-abcde12345"
    endpoint       = "https://example.com/mcp"
    signing_region = "eu-west-1"
  }

  assert {
    condition     = aws_bedrockagentcore_gateway_target.this.credential_provider_configuration[0].gateway_iam_role[0].service == "bedrock-agentcore" && aws_bedrockagentcore_gateway_target.this.credential_provider_configuration[0].gateway_iam_role[0].region == "eu-west-1"
    error_message = "The gateway signs for AgentCore."
  }
}

run "the_gateway_takes_tokens_of_both_clients" {
  module {
    source = "../modules/gateway"
  }

  variables {
    name                   = "tools"
    account_id             = "123456789012"
    region                 = "us-east-1"
    partition              = "aws"
    mcp_versions           = ["2025-11-25", "2026-07-28"]
    calls_with_credentials = false
    debug                  = true
    authorizer             = { discovery_url = "https://issuer.example.com/.well-known/openid-configuration", allowed_clients = ["a", "b"] }
  }

  assert {
    condition     = aws_bedrockagentcore_gateway.this.authorizer_type == "CUSTOM_JWT" && aws_bedrockagentcore_gateway.this.authorizer_configuration[0].custom_jwt_authorizer[0].allowed_clients == toset(["a", "b"])
    error_message = "Programs and people are let in."
  }

  assert {
    condition     = aws_bedrockagentcore_gateway.this.protocol_configuration[0].mcp[0].search_type == null && aws_bedrockagentcore_gateway.this.exception_level == "DEBUG"
    error_message = "Semantic search is off unless asked for; debugging is on because it was."
  }

  assert {
    condition     = length(aws_iam_role_policy.this) == 0
    error_message = "A role without anything to do has no policy."
  }
}
