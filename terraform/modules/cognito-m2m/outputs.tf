output "user_pool_id" {
  description = "Id of the pool."
  value       = aws_cognito_user_pool.this.id
}

output "discovery_url" {
  description = "URL of the pool's OpenID configuration, which an authorizer reads."
  value       = "https://${aws_cognito_user_pool.this.endpoint}/.well-known/openid-configuration"
}

output "token_endpoint" {
  description = "URL at which a program gets its tokens."
  value       = "https://${aws_cognito_user_pool_domain.this.domain}.auth.${var.region}.amazoncognito.com/oauth2/token"
}

output "scope" {
  description = "Scope that a program asks for."
  value       = local.scope
}

output "client_id" {
  description = "Id of the client for programs."
  value       = aws_cognito_user_pool_client.program.id
}

output "client_secret" {
  description = "Secret of the client for programs."
  value       = aws_cognito_user_pool_client.program.client_secret
  sensitive   = true
}

output "user_client_id" {
  description = "Id of the client for people, which has no secret."
  value       = aws_cognito_user_pool_client.people.id
}

output "allowed_clients" {
  description = "Ids of both clients, for an authorizer."
  value       = [aws_cognito_user_pool_client.program.id, aws_cognito_user_pool_client.people.id]
}
