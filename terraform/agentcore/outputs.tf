output "gateway_url" {
  description = "URL of the gateway's MCP endpoint."
  value       = module.gateway.url
}

output "gateway_id" {
  description = "Id of the gateway."
  value       = module.gateway.id
}

output "gateway_arn" {
  description = "ARN of the gateway."
  value       = module.gateway.arn
}

output "gateway_role_arn" {
  description = "ARN of the role that the gateway calls its targets with."
  value       = module.gateway.role_arn
}

output "user_pool_id" {
  description = "User pool whose tokens the gateway takes; null with gateway_authorizer = \"iam\", as everything of it."
  value       = one(module.user_pool[*].user_pool_id)
}

output "client_id" {
  description = "The gateway's client for programs."
  value       = one(module.user_pool[*].client_id)
}

output "client_secret" {
  description = "Its secret."
  value       = one(module.user_pool[*].client_secret)
  sensitive   = true
}

output "user_client_id" {
  description = "The gateway's client for people, which has no secret."
  value       = one(module.user_pool[*].user_client_id)
}

output "token_endpoint" {
  description = "URL at which a program gets tokens for the gateway."
  value       = one(module.user_pool[*].token_endpoint)
}

output "scope" {
  description = "Scope that it asks for."
  value       = one(module.user_pool[*].scope)
}

output "discovery_url" {
  description = "OpenID configuration of the gateway's user pool."
  value       = one(module.user_pool[*].discovery_url)
}

output "test_username" {
  description = "The test user; null where none was asked for."
  value       = var.test_user.create ? var.test_user.username : null
}

output "runtimes" {
  description = "Each server: its Runtime, the user pool that lets callers in (null with authorization = \"iam\"), its image and its log."
  value = {
    for name, server in local.servers : name => {
      id                        = module.runtime[name].id
      arn                       = module.runtime[name].arn
      agent_name                = server.agent_name
      target_name               = module.server_target[name].name
      endpoint                  = module.runtime[name].endpoint
      user_pool_id              = try(module.server_pool[name].user_pool_id, null)
      client_id                 = try(module.server_pool[name].client_id, null)
      user_client_id            = try(module.server_pool[name].user_client_id, null)
      discovery_url             = try(module.server_pool[name].discovery_url, null)
      token_endpoint            = try(module.server_pool[name].token_endpoint, null)
      scope                     = try(module.server_pool[name].scope, null)
      image_uri                 = server.is_built ? module.build[name].image_uri : server.image_uri
      build_project             = try(module.image[name].project_name, null)
      log_group                 = module.runtime[name].log_group
      execution_role_arn        = server.makes_role ? module.execution_role[name].arn : server.execution_role_arn
      runtime_config_secret_arn = try(module.runtime_config[name].arn, null)
    }
  }
}

output "commands" {
  description = "Commands, ready to paste where `terraform output` works: get_token, get_user_token, list_tools, configure_vscode, configure_amazon_q, and get_user_token_NAME and list_tools_NAME for the server NAME itself."
  value       = local.commands
}
