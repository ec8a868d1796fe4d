# The stage: what is deployed, how much of it at once, and its access log.

locals {
  # What the stage's own URL will be, known before the stage is: the function's configuration names it.
  url = "https://${aws_api_gateway_rest_api.this.id}.execute-api.${var.region}.amazonaws.com/${var.stage}"
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id

  # A deployment is a snapshot: whatever is changed above needs a new one.
  triggers = {
    of = sha256(jsonencode([
      local.methods, var.scope, var.user_pool_arn, var.function.invoke_arn, var.timeout_seconds,
      aws_api_gateway_gateway_response.unauthorized.response_parameters,
      aws_api_gateway_gateway_response.unauthorized.response_templates,
    ]))
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [aws_api_gateway_integration.this, aws_api_gateway_gateway_response.unauthorized]
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_73:The gateway has spans of its own (OpenTelemetry), which tell more of a call.
  #checkov:skip=CKV_AWS_120:Answers of tools must not be cached.
  #checkov:skip=CKV2_AWS_29:`web_acl_arn` puts a web ACL here; without it there is none, for cost.
  #checkov:skip=CKV2_AWS_77:As before; and nothing behind this is written in Java.
  #checkov:skip=CKV2_AWS_51:Callers show tokens, not certificates.
  #checkov:skip=CKV2_AWS_4:The access log says what an execution log would, without bodies.
  rest_api_id   = aws_api_gateway_rest_api.this.id
  deployment_id = aws_api_gateway_deployment.this.id
  stage_name    = var.stage

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      requestId    = "$context.requestId"
      time         = "$context.requestTime"
      sourceIp     = "$context.identity.sourceIp"
      client       = "$context.authorizer.claims.client_id"
      method       = "$context.httpMethod"
      path         = "$context.path"
      status       = "$context.status"
      bytes        = "$context.responseLength"
      milliseconds = "$context.responseLatency"
      error        = "$context.error.message"
    })
  }

  depends_on = [aws_api_gateway_account.this]
}

resource "aws_api_gateway_method_settings" "all" {
  #checkov:skip=CKV_AWS_225:Answers of tools must not be cached.
  #checkov:skip=CKV_AWS_308:Nothing is cached.
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    throttling_rate_limit  = var.throttling.rate
    throttling_burst_limit = var.throttling.burst
    metrics_enabled        = true
    # Of an execution log, errors alone: it could hold what callers send.
    logging_level      = "ERROR"
    data_trace_enabled = false
  }
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts in any case; the log holds no tokens and no bodies.
  #checkov:skip=CKV_AWS_338:`log_retention_days` says for how long it is worth its price.
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
}

# By which API Gateway writes any log, of all APIs of an account in a region: there is one such setting, and an account that has used
# API Gateway before may have it already.
resource "aws_api_gateway_account" "this" {
  count = var.create_account_log_role ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.log[0].arn
  depends_on          = [aws_iam_role_policy_attachment.log]
}

resource "aws_iam_role" "log" {
  count = var.create_account_log_role ? 1 : 0

  name_prefix = "${substr(var.name, 0, 26)}-api-log-"
  description = "API Gateway writes the logs of this region with it"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "apigateway.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "log" {
  count = var.create_account_log_role ? 1 : 0

  role       = aws_iam_role.log[0].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}
