output "arn" {
  description = "ARN of the secret."
  value       = aws_secretsmanager_secret.this.arn
}

output "version" {
  description = "Number of what is in it: another one with every change of a setting. Known once it is there."
  value       = tostring(aws_secretsmanager_secret_version.this.secret_string_wo_version)
}
