output "name" {
  description = "Name of the credential provider."
  value       = aws_bedrockagentcore_oauth2_credential_provider.this.name
}

output "arn" {
  description = "ARN of the credential provider."
  value       = aws_bedrockagentcore_oauth2_credential_provider.this.credential_provider_arn
}

output "secret_arn" {
  description = "ARN of the secret that AgentCore Identity keeps the client's secret in."
  value       = one(aws_bedrockagentcore_oauth2_credential_provider.this.client_secret_arn[*].secret_arn)
}
