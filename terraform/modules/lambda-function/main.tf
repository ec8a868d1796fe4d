# One Lambda function on ARM64 in private subnets, its role and its log. It knows nothing of who calls it.

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts in any case; the log holds no tokens, no arguments and no results.
  #checkov:skip=CKV_AWS_338:`log_retention_days` says for how long it is worth its price.
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:`environment` turns on OpenTelemetry, which tells more of a call than X-Ray would.
  #checkov:skip=CKV_AWS_115:`reserved_concurrency` says whether some of the account's is kept for it.
  #checkov:skip=CKV_AWS_116:It answers requests: nobody would look for one that failed in a queue.
  #checkov:skip=CKV_AWS_173:The environment holds references to secrets, no secrets.
  #checkov:skip=CKV_AWS_272:The package comes from a bucket that only this deployment writes to.
  function_name = var.name
  description   = var.description
  role          = aws_iam_role.this.arn

  architectures = ["arm64"]
  package_type  = var.image_uri == null ? "Zip" : "Image"
  memory_size   = var.memory_mb
  timeout       = var.timeout_seconds

  # Of a package.
  runtime           = var.image_uri == null ? "provided.al2023" : null
  handler           = var.image_uri == null ? var.handler : null
  s3_bucket         = var.package == null ? null : var.package.bucket
  s3_key            = var.package == null ? null : var.package.key
  s3_object_version = var.package == null ? null : var.package.version
  source_code_hash  = var.package == null ? null : var.package.hash

  # Of an image.
  image_uri = var.image_uri

  reserved_concurrent_executions = var.reserved_concurrency == null ? -1 : var.reserved_concurrency

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = var.security_group_ids
  }

  dynamic "image_config" {
    for_each = var.image_uri == null ? [] : [var.image_uri]

    content {
      command = ["lambda"]
    }
  }

  dynamic "environment" {
    for_each = length(var.environment) > 0 ? [var.environment] : []

    content {
      variables = environment.value
    }
  }

  # It would make a log group of its own that is kept for ever.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.run]
}
