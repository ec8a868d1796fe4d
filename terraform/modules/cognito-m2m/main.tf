# A Cognito user pool that lets programs in with client credentials and, if asked, people with a name and a password.
# It knows nothing of what its tokens are for.

locals {
  # Prefixes are shared by all accounts of a region and must not hold Amazon's names. What ends the prefix is derived, not random:
  # the same deployment gets the same one again.
  readable      = substr(lower(var.name), 0, 40)
  reserved      = can(regex("aws|amazon|cognito", local.readable))
  unique        = substr(sha256("${var.account_id}/${var.region}/${var.name}"), 0, 12)
  domain_prefix = "${local.reserved ? "mcp" : local.readable}-${local.unique}"

  # GovCloud has FIPS endpoints only: https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-cog.html
  host = startswith(var.region, "us-gov-") ? "auth-fips" : "auth"

  scope  = "${aws_cognito_resource_server.this.identifier}/invoke"
  people = length(var.callback_urls) > 0
}

resource "aws_cognito_user_pool" "this" {
  name = "${var.name}-pool"

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  username_configuration {
    case_sensitive = false
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "admin_only"
      priority = 1
    }
  }

  password_policy {
    minimum_length                   = var.password_policy.minimum_length
    require_lowercase                = var.password_policy.require_lowercase
    require_uppercase                = var.password_policy.require_uppercase
    require_numbers                  = var.password_policy.require_numbers
    require_symbols                  = var.password_policy.require_symbols
    temporary_password_validity_days = var.password_policy.temporary_password_validity_days
  }
}

resource "aws_cognito_user_pool_domain" "this" {
  domain       = local.domain_prefix
  user_pool_id = aws_cognito_user_pool.this.id
}

resource "aws_cognito_resource_server" "this" {
  identifier   = "${var.name}-id"
  name         = "${var.name}-name"
  user_pool_id = aws_cognito_user_pool.this.id

  scope {
    scope_name        = "invoke"
    scope_description = "Call ${var.name}"
  }
}

# For programs. A token of it lasts an hour, as Cognito has it.
resource "aws_cognito_user_pool_client" "program" {
  name         = "${var.name}-client"
  user_pool_id = aws_cognito_user_pool.this.id

  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = [local.scope]
  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH"]
  enable_token_revocation              = true
}

# For people: no secret, since what runs on their machines keeps none. With a callback URL they log in with a browser as well.
resource "aws_cognito_user_pool_client" "people" {
  name         = "${var.name}-user-client"
  user_pool_id = aws_cognito_user_pool.this.id

  generate_secret               = false
  explicit_auth_flows           = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true

  allowed_oauth_flows_user_pool_client = local.people
  # Empty and not left out, or what was there before would stay.
  allowed_oauth_flows          = local.people ? ["code"] : []
  allowed_oauth_scopes         = local.people ? ["openid", local.scope] : []
  callback_urls                = var.callback_urls
  supported_identity_providers = local.people ? ["COGNITO"] : []
}

resource "aws_cognito_user" "test" {
  count = var.test_user.create ? 1 : 0

  user_pool_id = aws_cognito_user_pool.this.id
  username     = var.test_user.username
  # The provider has no write-only argument for it, so the state holds it.
  password       = var.test_user_password
  message_action = "SUPPRESS"
}
