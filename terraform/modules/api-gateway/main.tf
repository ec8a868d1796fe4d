# A REST API that passes MCP on to a function, for who has a token of a Cognito user pool with the right scope. A REST API and not an
# HTTP API: its Cognito authorizer asks for scopes of access tokens without a list of clients, it takes a WAF and a resource policy, and
# its throttling and access log are per stage.

resource "aws_api_gateway_rest_api" "this" {
  name        = var.name
  description = "MCP at /mcp, answered by a Lambda function"

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_authorizer" "pool" {
  name            = "${var.name}-pool"
  rest_api_id     = aws_api_gateway_rest_api.this.id
  type            = "COGNITO_USER_POOLS"
  provider_arns   = [var.user_pool_arn]
  identity_source = "method.request.header.Authorization"
}

resource "aws_api_gateway_resource" "mcp" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = "mcp"
}

# Where toolsets are.
resource "aws_api_gateway_resource" "toolset" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.mcp.id
  path_part   = "{toolset}"
}

# What clients read before they have a token (RFC 9728).
resource "aws_api_gateway_resource" "well_known" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = ".well-known"
}

resource "aws_api_gateway_resource" "metadata" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.well_known.id
  path_part   = "{document+}"
}

locals {
  guarded = { mcp = aws_api_gateway_resource.mcp.id, toolset = aws_api_gateway_resource.toolset.id }
  methods = merge(
    { for name, id in local.guarded : name => { resource = id, method = "ANY", guarded = true } },
    # Browsers ask without a token whether they may send one; the function says which pages may.
    { for name, id in local.guarded : "${name}_preflight" => { resource = id, method = "OPTIONS", guarded = false } },
    { metadata = { resource = aws_api_gateway_resource.metadata.id, method = "GET", guarded = false } },
  )
}

resource "aws_api_gateway_method" "this" {
  #checkov:skip=CKV_AWS_59:Who may call what is in `local.methods`: all of MCP takes a token, metadata and preflight requests cannot.
  #checkov:skip=CKV2_AWS_53:The function validates requests: MCP is more than a schema says.
  for_each = local.methods

  rest_api_id          = aws_api_gateway_rest_api.this.id
  resource_id          = each.value.resource
  http_method          = each.value.method
  authorization        = each.value.guarded ? "COGNITO_USER_POOLS" : "NONE"
  authorizer_id        = each.value.guarded ? aws_api_gateway_authorizer.pool.id : null
  authorization_scopes = each.value.guarded ? [var.scope] : null
}

resource "aws_api_gateway_integration" "this" {
  for_each = local.methods

  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = each.value.resource
  http_method             = aws_api_gateway_method.this[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = var.function.invoke_arn
  timeout_milliseconds    = var.timeout_seconds * 1000
}

# Who has no token is told where to get one, as MCP wants it.
resource "aws_api_gateway_gateway_response" "unauthorized" {
  rest_api_id   = aws_api_gateway_rest_api.this.id
  response_type = "UNAUTHORIZED"
  status_code   = "401"

  response_parameters = {
    "gatewayresponse.header.WWW-Authenticate" = "'Bearer scope=\"${var.scope}\", resource_metadata=\"${local.url}/.well-known/oauth-protected-resource\"'"
  }
  response_templates = {
    "application/json" = jsonencode({ jsonrpc = "2.0", id = null, error = { code = -32001, message = "Unauthorized: send an access token of the user pool as Authorization: Bearer" } })
  }
}

resource "aws_lambda_permission" "this" {
  statement_id  = "api-gateway"
  action        = "lambda:InvokeFunction"
  function_name = var.function.name
  principal     = "apigateway.amazonaws.com"
  # By this API alone: the function may take its word for who calls.
  source_arn = "${aws_api_gateway_rest_api.this.execution_arn}/${var.stage}/*"
}
