# The MCP servers that are made here. Each has a Runtime, a role, and its own user pool where the gateway shows it tokens.

module "source_bucket" {
  source = "../modules/private-bucket"
  count  = length(local.with_build) > 0 ? 1 : 0

  prefix    = "${substr(lower(var.gateway_name), 0, 28)}-source-"
  kept_days = 90
}

module "image" {
  source   = "../modules/server-image"
  for_each = local.with_build

  name             = each.key
  source_directory = each.value.source_directory
  repository_name  = each.value.ecr_repository
  bucket           = { id = module.source_bucket[0].id, arn = module.source_bucket[0].arn }

  account_id = local.account_id
  region     = var.region
  partition  = local.partition
}

# Terraform 1.15 crashes when it is interrupted while an action runs, and does not know then of what else it was making at that moment: so
# all else is there before the first build starts, and a Runtime is made after the last.
module "build" {
  source   = "../modules/server-build"
  for_each = local.with_build

  project_name     = module.image[each.key].project_name
  repository_url   = module.image[each.key].repository_url
  tag              = module.image[each.key].tag
  source_directory = each.value.source_directory

  depends_on = [
    module.image, module.execution_role, module.runtime_config,
    module.user_pool, module.server_pool, module.server_identity, module.target_identity, module.gateway.arn,
  ]
}

module "runtime_config" {
  source   = "../modules/runtime-config"
  for_each = local.with_settings

  name       = each.key
  settings   = coalesce(each.value.runtime_config, {})
  log_groups = each.value.log_groups
}

module "execution_role" {
  source   = "../modules/execution-role"
  for_each = local.with_role

  name               = each.key
  agent_name         = each.value.agent_name
  log_groups         = each.value.log_groups
  runtime_config_arn = each.value.has_settings ? module.runtime_config[each.key].arn : null

  pulls_from_ecr = each.value.from_ecr
  repository_arn = (
    each.value.is_built ? module.image[each.key].repository_arn :
    each.value.image_in_ecr == null ? null :
    "arn:${local.partition}:ecr:${each.value.image_in_ecr.region}:${each.value.image_in_ecr.account}:repository/${each.value.image_in_ecr.name}"
  )

  account_id = local.account_id
  region     = var.region
  partition  = local.partition
}

module "runtime" {
  source   = "../modules/runtime"
  for_each = local.servers

  agent_name  = each.value.agent_name
  description = each.value.description == "" ? null : each.value.description
  image_uri   = each.value.is_built ? module.build[each.key].image_uri : each.value.image_uri
  role_arn    = each.value.makes_role ? module.execution_role[each.key].arn : each.value.execution_role_arn

  environment             = each.value.environment
  runtime_config          = each.value.has_settings ? { arn = module.runtime_config[each.key].arn, version = module.runtime_config[each.key].version } : null
  authorizer              = each.value.uses_jwt ? { discovery_url = module.server_pool[each.key].discovery_url, allowed_clients = module.server_pool[each.key].allowed_clients } : null
  allowed_request_headers = each.value.allowed_request_headers

  subnet_ids           = each.value.subnet_ids
  security_group_ids   = each.value.security_group_ids
  idle_timeout_seconds = each.value.idle_timeout_seconds
  max_lifetime_seconds = each.value.max_lifetime_seconds

  region     = var.region
  dns_suffix = local.dns_suffix
}

# A pool of its own: a token for one server opens no other, nor the gateway.
module "server_pool" {
  source   = "../modules/cognito-m2m"
  for_each = local.with_jwt

  name               = each.key
  account_id         = local.account_id
  region             = var.region
  password_policy    = var.password_policy
  test_user          = var.test_user
  test_user_password = var.test_user_password
}

# How the gateway gets tokens of that pool.
module "server_identity" {
  source   = "../modules/oauth-provider"
  for_each = local.with_jwt

  name          = each.key
  client_id     = module.server_pool[each.key].client_id
  client_secret = module.server_pool[each.key].client_secret
  discovery_url = module.server_pool[each.key].discovery_url
  # Cognito never changes a client's secret; another client is another id, which is no secret.
  secret_version = parseint(substr(sha256(module.server_pool[each.key].client_id), 0, 12), 16)
}
