output "url" {
  description = "The URL of the stage, without a slash at the end."
  value       = local.url
}

output "execution_arn" {
  description = "What permissions to call the API name."
  value       = aws_api_gateway_rest_api.this.execution_arn
}

output "access_log_group" {
  description = "The log group of its access log."
  value       = aws_cloudwatch_log_group.access.name
}
