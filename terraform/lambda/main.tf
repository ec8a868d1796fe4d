# MCP behind API Gateway: a REST API whose authorizer is a Cognito user pool, and the function that answers, in private subnets.

module "pool" {
  source = "../modules/cognito-m2m"

  name            = var.name
  account_id      = data.aws_caller_identity.here.account_id
  region          = var.region
  password_policy = var.password_policy
  test_user       = { username = "", create = false }
}

module "network" {
  source = "../modules/private-network"

  name              = var.name
  cidr              = var.cidr
  zone_count        = var.zone_count
  nat               = var.nat
  endpoint_services = var.endpoint_services
}

module "packages" {
  source = "../modules/artifact-bucket"
  count  = var.package_path == null ? 0 : 1

  name         = var.name
  package_path = var.package_path
}

module "function" {
  source = "../modules/lambda-function"

  name                 = var.name
  description          = "MCP, behind API Gateway: ${var.serves}"
  region               = var.region
  partition            = local.partition
  package              = one(module.packages[*].package)
  image_uri            = var.image_uri
  handler              = local.handler
  environment          = local.environment
  memory_mb            = var.memory_mb
  timeout_seconds      = var.timeout_seconds
  reserved_concurrency = var.reserved_concurrency
  log_retention_days   = var.log_retention_days
  subnet_ids           = module.network.private_subnet_ids
  security_group_ids   = [module.network.security_group_id]
  statements           = local.statements
}

module "api" {
  source = "../modules/api-gateway"

  name                    = var.name
  region                  = var.region
  partition               = local.partition
  function                = { name = module.function.name, invoke_arn = module.function.invoke_arn }
  user_pool_arn           = "arn:${local.partition}:cognito-idp:${var.region}:${data.aws_caller_identity.here.account_id}:userpool/${module.pool.user_pool_id}"
  scope                   = module.pool.scope
  stage                   = var.stage
  timeout_seconds         = var.timeout_seconds
  throttling              = var.throttling
  log_retention_days      = var.log_retention_days
  create_account_log_role = var.create_account_log_role
  web_acl_arn             = var.web_acl_arn
}

# The client that callers get their tokens with, as `causeway token secret` reads it.
resource "aws_secretsmanager_secret" "client" {
  #checkov:skip=CKV_AWS_149:Secrets Manager encrypts secrets in any case; whoever wants a key of theirs has more readers to name.
  #checkov:skip=CKV2_AWS_57:Cognito makes up the client's secret; a new client is a new secret.
  name_prefix             = "${var.name}/client-"
  description             = "The client that gets tokens for ${var.name}"
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "client" {
  secret_id = aws_secretsmanager_secret.client.id
  secret_string_wo = jsonencode({
    client_id      = module.pool.client_id
    client_secret  = module.pool.client_secret
    token_endpoint = module.pool.token_endpoint
    scope          = module.pool.scope
  })
  # Another client is another version.
  secret_string_wo_version = parseint(substr(sha256("${module.pool.user_pool_id}/${module.pool.client_id}"), 0, 7), 16)
}
