output "url" {
  description = "Where clients reach MCP."
  value       = "${module.api.url}/mcp"
}

output "function_name" {
  description = "The function's name."
  value       = module.function.name
}

output "function_arn" {
  description = "The function's ARN."
  value       = module.function.arn
}

output "role_arn" {
  description = "The role that the function runs as."
  value       = module.function.role_arn
}

output "user_pool_id" {
  description = "Id of the user pool whose tokens let in."
  value       = module.pool.user_pool_id
}

output "discovery_url" {
  description = "URL of the pool's OpenID configuration."
  value       = module.pool.discovery_url
}

output "token_endpoint" {
  description = "URL at which a program gets its tokens."
  value       = module.pool.token_endpoint
}

output "client_id" {
  description = "Id of the client for programs."
  value       = module.pool.client_id
}

output "client_secret_arn" {
  description = "The secret that holds that client: id, secret, token endpoint and scope."
  value       = aws_secretsmanager_secret.client.arn
}

output "scope" {
  description = "Scope that a program asks for."
  value       = module.pool.scope
}

output "log_groups" {
  description = "Where the function and the API log."
  value       = { function = module.function.log_group, access = module.api.access_log_group }
}

output "commands" {
  description = "What to do with it, ready to paste."
  value = {
    get_token  = "causeway token secret ${aws_secretsmanager_secret.client.arn} --raw"
    list_tools = "CAUSEWAY_TOKEN=$(causeway token secret ${aws_secretsmanager_secret.client.arn} --raw) causeway tools ${module.api.url}/mcp"
    follow_log = "aws logs tail ${module.function.log_group} --follow --region ${var.region}"
  }
}
