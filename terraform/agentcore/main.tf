# The gateway: who is let in, what is behind it.

module "user_pool" {
  source = "../modules/cognito-m2m"
  count  = var.gateway_authorizer == "jwt" ? 1 : 0

  name               = var.gateway_name
  account_id         = local.account_id
  region             = var.region
  callback_urls      = var.callback_urls
  password_policy    = var.password_policy
  test_user          = var.test_user
  test_user_password = var.test_user_password
}

module "gateway" {
  source = "../modules/gateway"

  name        = var.gateway_name
  description = var.gateway_description == "" ? null : var.gateway_description
  authorizer  = one([for pool in module.user_pool : { discovery_url = pool.discovery_url, allowed_clients = pool.allowed_clients }])

  mcp_versions    = var.mcp.versions
  instructions    = var.mcp.instructions
  semantic_search = var.mcp.semantic_search
  debug           = var.debug

  calls_with_credentials = local.calls_with_credentials
  oauth_provider_arns    = concat([for it in module.server_identity : it.arn], [for it in module.target_identity : it.arn])
  oauth_secret_arns      = concat([for it in module.server_identity : it.secret_arn], [for it in module.target_identity : it.secret_arn])
  iam_runtime_arns       = [for name, server in local.servers : module.runtime[name].arn if !server.uses_jwt]

  account_id = local.account_id
  region     = var.region
  partition  = local.partition
}

# The servers of servers.tf.
module "server_target" {
  source   = "../modules/gateway-target"
  for_each = local.servers

  gateway_id  = module.gateway.id
  name        = each.value.target_name
  description = each.value.description == "" ? "The MCP server ${each.key}" : each.value.description
  revision    = each.value.is_built ? module.image[each.key].tag : each.value.given_version
  endpoint    = module.runtime[each.key].endpoint

  oauth          = each.value.uses_jwt ? { provider_arn = module.server_identity[each.key].arn, scopes = [module.server_pool[each.key].scope] } : null
  signing_region = each.value.uses_jwt ? null : var.region
  keeps_sessions = true
}

# Servers that run already.
module "target" {
  source   = "../modules/gateway-target"
  for_each = var.targets

  gateway_id  = module.gateway.id
  name        = each.key
  description = each.value.description == "" ? "The MCP server ${each.key}" : each.value.description
  endpoint    = each.value.endpoint
  oauth       = each.value.client_credentials == null ? null : { provider_arn = module.target_identity[each.key].arn, scopes = each.value.client_credentials.scopes }
}

module "target_identity" {
  source   = "../modules/oauth-provider"
  for_each = local.with_client

  # The gateway's name too: two gateways of an account may have targets of the same name.
  name                   = "${var.gateway_name}-${each.key}"
  client_id              = each.value.client_id
  client_secret          = var.target_secrets[each.key]
  secret_version         = var.target_secrets_version
  discovery_url          = each.value.discovery_url
  token_endpoint         = each.value.token_endpoint
  authorization_endpoint = each.value.authorization_endpoint
  issuer                 = try(coalesce(each.value.issuer, regex("^https://[^/]+", each.value.token_endpoint)), null)
}
