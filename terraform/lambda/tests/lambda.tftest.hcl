# What is made of the variables, with nothing behind it: `terraform test` asks no AWS.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "us-east-1" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/tools" }
  }
  mock_resource "aws_lambda_function" {
    defaults = {
      arn        = "arn:aws:lambda:us-east-1:123456789012:function:tools"
      invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:tools/invocations"
    }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:tools" }
  }
  mock_resource "aws_api_gateway_rest_api" {
    defaults = { id = "abc123", execution_arn = "arn:aws:execute-api:us-east-1:123456789012:abc123" }
  }
  mock_resource "aws_cognito_user_pool" {
    defaults = { id = "us-east-1_EXAMPLE", endpoint = "cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE" }
  }
}

variables {
  name      = "tools"
  image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/causeway:1.0.0"
}

run "what_is_there_by_default" {
  assert {
    condition     = output.url == "https://abc123.execute-api.us-east-1.amazonaws.com/prod/mcp"
    error_message = "the URL is that of the stage"
  }
  assert {
    condition     = output.scope == "tools-id/invoke"
    error_message = "the scope is named after the deployment"
  }
  assert {
    condition     = length(module.packages) == 0
    error_message = "an image needs no bucket"
  }
  assert {
    condition     = length(local.statements) == 0
    error_message = "a function that calls nothing on AWS may call nothing there"
  }
}

run "the_configuration_is_told_what_it_cannot_know" {
  variables {
    nat         = true
    config_toml = "[gateway]\npublic_url = \"$${public_url}\"\n[authorizer.custom_jwt]\ndiscovery_url = \"$${discovery_url}\"\n"
  }

  assert {
    condition     = local.environment["CAUSEWAY_CONFIG_TOML"] == "[gateway]\npublic_url = \"https://abc123.execute-api.us-east-1.amazonaws.com/prod/mcp\"\n[authorizer.custom_jwt]\ndiscovery_url = \"https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE/.well-known/openid-configuration\"\n"
    error_message = "the placeholders are filled in"
  }
}

run "one_list_of_log_groups_for_the_server_and_its_role" {
  variables {
    image_uri    = null
    package_path = "README.md"
    serves       = "sample.cloudwatch-insights"
    log_groups   = ["/aws/lambda/orders", "/aws/lambda/stock"]
  }

  assert {
    condition     = local.environment["ALLOWED_LOG_GROUPS"] == "/aws/lambda/orders,/aws/lambda/stock"
    error_message = "the server has the list"
  }
  assert {
    condition     = contains(local.statements[0].Resource, "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/stock")
    error_message = "the role has the list"
  }
}
