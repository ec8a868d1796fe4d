output "user_pool_id" {
  description = "Id of the pool."
  value       = aws_cognito_user_pool.this.id
}

output "discovery_url" {
  description = "URL of the pool's OpenID configuration, which an authorizer reads; once there is the domain of which it says where tokens are."
  value       = "https://${aws_cognito_user_pool.this.endpoint}/.well-known/openid-configuration"
  # The gateway asks for a token while its target is made, and a pool without a domain has no endpoint for tokens.
  depends_on = [aws_cognito_user_pool_domain.this]
}

output "token_endpoint" {
  description = "URL at which a program gets its tokens."
  value       = "https://${aws_cognito_user_pool_domain.this.domain}.${local.host}.${var.region}.amazoncognito.com/oauth2/token"
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
