output "arn" {
  description = "The function's ARN."
  value       = aws_lambda_function.this.arn
}

output "name" {
  description = "The function's name."
  value       = aws_lambda_function.this.function_name
}

output "invoke_arn" {
  description = "What an API calls it by."
  value       = aws_lambda_function.this.invoke_arn
}

output "role_arn" {
  description = "The role that it runs as."
  value       = aws_iam_role.this.arn
}

output "log_group" {
  description = "The log group that it writes to."
  value       = aws_cloudwatch_log_group.this.name
}
