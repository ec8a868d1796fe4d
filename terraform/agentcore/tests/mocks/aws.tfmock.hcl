# What AWS would say, in the form that it says it.

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
}

mock_resource "aws_bedrockagentcore_agent_runtime" {
  defaults = {
    agent_runtime_id  = "calculator-AbCdE12345"
    agent_runtime_arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/calculator-AbCdE12345"
  }
}

mock_resource "aws_bedrockagentcore_oauth2_credential_provider" {
  defaults = {
    credential_provider_arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:token-vault/default/oauth2credentialprovider/calculator-identity"
    client_secret_arn       = [{ secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:bedrock-agentcore-identity!default/oauth2/calculator-identity-AbCdEf" }]
  }
}

mock_resource "aws_bedrockagentcore_gateway" {
  defaults = {
    gateway_id  = "tools-abcde12345"
    gateway_arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/tools-abcde12345"
    gateway_url = "https://tools-abcde12345.gateway.bedrock-agentcore.us-east-1.amazonaws.com/mcp"
  }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/made" }
}

mock_resource "aws_ecr_repository" {
  defaults = {
    arn            = "arn:aws:ecr:us-east-1:123456789012:repository/calculator"
    repository_url = "123456789012.dkr.ecr.us-east-1.amazonaws.com/calculator"
  }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::tools-source-1234" }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:calculator-runtime-config-AbCdEf" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/codebuild/calculator-build" }
}
