# Every name is derived from the gateway's or the server's.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "of_a_user_pool" {
  module {
    source = "../modules/cognito-m2m"
  }

  variables {
    name               = "team-tools"
    account_id         = "123456789012"
    region             = "us-east-1"
    callback_urls      = ["https://gateway.example.com/login/callback"]
    test_user          = { username = "testuser", create = true }
    test_user_password = "Correct-horse-1"
    password_policy    = { minimum_length = 14, require_lowercase = true, require_uppercase = true, require_numbers = true, require_symbols = false, temporary_password_validity_days = 3 }
  }

  assert {
    condition = [
      aws_cognito_user_pool.this.name,
      aws_cognito_resource_server.this.identifier,
      aws_cognito_resource_server.this.name,
      aws_cognito_user_pool_client.program.name,
    ] == ["team-tools-pool", "team-tools-id", "team-tools-name", "team-tools-client"]
    error_message = "A pool's names are NAME-pool, NAME-id, NAME-name, NAME-client."
  }

  assert {
    condition     = output.scope == "team-tools-id/invoke" && tolist(aws_cognito_user_pool_client.program.allowed_oauth_scopes) == tolist(["team-tools-id/invoke"])
    error_message = "The scope is of the resource server, and the program's client may ask for it."
  }

  assert {
    condition     = aws_cognito_user_pool_client.program.generate_secret && tolist(aws_cognito_user_pool_client.program.allowed_oauth_flows) == tolist(["client_credentials"])
    error_message = "Programs have a secret and get tokens with it alone."
  }

  assert {
    condition = (
      !aws_cognito_user_pool_client.people.generate_secret &&
      contains(aws_cognito_user_pool_client.people.explicit_auth_flows, "ALLOW_USER_PASSWORD_AUTH") &&
      tolist(aws_cognito_user_pool_client.people.allowed_oauth_flows) == tolist(["code"]) &&
      contains(aws_cognito_user_pool_client.people.callback_urls, "https://gateway.example.com/login/callback")
    )
    error_message = "People have no secret: they log in by password, or with a browser that comes back to the callback URL."
  }

  assert {
    condition     = aws_cognito_user_pool.this.password_policy[0].minimum_length == 14 && !aws_cognito_user_pool.this.password_policy[0].require_symbols
    error_message = "The password policy is the pool's."
  }

  assert {
    condition     = aws_cognito_user.test[0].username == "testuser" && aws_cognito_user.test[0].password == "Correct-horse-1"
    error_message = "The test user is made, with the password."
  }

  assert {
    condition     = startswith(aws_cognito_user_pool_domain.this.domain, "team-tools-") && length(aws_cognito_user_pool_domain.this.domain) <= 63
    error_message = "The domain is readable and unique."
  }
}

run "of_a_domain_without_amazons_names" {
  module {
    source = "../modules/cognito-m2m"
  }

  variables {
    name            = "My-AWS-and-Cognito-Tools"
    account_id      = "123456789012"
    region          = "us-east-1"
    test_user       = { username = "testuser", create = false }
    password_policy = { minimum_length = 8, require_lowercase = true, require_uppercase = true, require_numbers = true, require_symbols = true, temporary_password_validity_days = 7 }
  }

  assert {
    condition     = can(regex("^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", aws_cognito_user_pool_domain.this.domain)) && !can(regex("aws|amazon|cognito", aws_cognito_user_pool_domain.this.domain))
    error_message = "`${aws_cognito_user_pool_domain.this.domain}` is refused by Cognito."
  }

  assert {
    condition     = length(aws_cognito_user.test) == 0
    error_message = "No user is made unasked."
  }

  assert {
    condition     = aws_cognito_user_pool_client.people.allowed_oauth_flows_user_pool_client == false
    error_message = "Without a callback URL nobody logs in with a browser."
  }
}

run "of_a_pool_in_govcloud" {
  module {
    source = "../modules/cognito-m2m"
  }

  variables {
    name            = "team-tools"
    account_id      = "123456789012"
    region          = "us-gov-west-1"
    test_user       = { username = "testuser", create = false }
    password_policy = { minimum_length = 8, require_lowercase = true, require_uppercase = true, require_numbers = true, require_symbols = true, temporary_password_validity_days = 7 }
  }

  assert {
    condition     = endswith(output.token_endpoint, ".auth-fips.us-gov-west-1.amazoncognito.com/oauth2/token")
    error_message = "GovCloud has FIPS endpoints only."
  }
}

run "of_servers_and_their_targets" {
  variables {
    target_secrets = {}
    gateway_name   = "team-tools"
    servers = {
      my-calculator = { source_directory = "./sample-server" }
      hello         = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/hello:1" }
    }
  }

  assert {
    condition     = output.runtimes["my-calculator"].agent_name == "my_calculator"
    error_message = "A Runtime is called as its server, with underscores for dashes."
  }

  assert {
    condition     = [for name in ["hello", "my-calculator"] : output.runtimes[name].target_name] == ["hello-target", "my-calculator-target"]
    error_message = "A server's target is NAME-target."
  }

  assert {
    condition     = output.runtimes["hello"].user_pool_id != output.runtimes["my-calculator"].user_pool_id && output.user_pool_id != output.runtimes["hello"].user_pool_id
    error_message = "The gateway and each server have a user pool of their own."
  }

  assert {
    condition     = [for name in ["hello", "my-calculator"] : output.runtimes[name].scope] == ["hello-id/invoke", "my-calculator-id/invoke"]
    error_message = "Each has a scope of its own."
  }
}

run "of_an_identity_provider" {
  module {
    source = "../modules/oauth-provider"
  }

  variables {
    name           = "calculator"
    client_id      = "abc"
    client_secret  = "hush"
    secret_version = 1
    discovery_url  = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI/.well-known/openid-configuration"
  }

  assert {
    condition     = aws_bedrockagentcore_oauth2_credential_provider.this.name == "calculator-identity"
    error_message = "A credential provider is NAME-identity."
  }

  assert {
    condition     = aws_bedrockagentcore_oauth2_credential_provider.this.oauth2_provider_config[0].custom_oauth2_provider_config[0].client_secret == null
    error_message = "The secret is not in the state."
  }
}
