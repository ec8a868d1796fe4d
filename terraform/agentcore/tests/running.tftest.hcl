# MCP servers that run already.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  gateway_name = "tools"
}

run "with_a_client_of_an_issuer" {
  variables {
    targets = {
      orders = { endpoint = "https://orders.example.com/mcp", client_credentials = { client_id = "abc", token_endpoint = "https://login.example.com/oauth2/token", scopes = ["orders/read"] } }
      open   = { endpoint = "https://open.example.com/mcp" }
    }
    target_secrets = { orders = "hush" }
  }

  assert {
    condition     = keys(module.target_identity) == ["orders"] && keys(module.target) == ["open", "orders"]
    error_message = "A credential provider is made for who asks for tokens."
  }
}

run "of_another_gateway_in_the_account" {
  variables {
    gateway_name   = "more-tools"
    targets        = { orders = { endpoint = "https://orders.example.com/mcp", client_credentials = { client_id = "abc", token_endpoint = "https://login.example.com/oauth2/token" } } }
    target_secrets = { orders = "hush" }
  }

  assert {
    condition     = module.target_identity["orders"].name == "more-tools-orders-identity"
    error_message = "Its credential provider has the gateway's name too, or the second gateway with such a target could not be made."
  }
}

run "where_the_issuer_has_no_configuration" {
  module {
    source = "../modules/oauth-provider"
  }

  variables {
    name           = "orders"
    client_id      = "abc"
    client_secret  = "hush"
    secret_version = 2
    issuer         = "https://login.example.com"
    token_endpoint = "https://login.example.com/oauth2/token"
  }

  assert {
    condition = alltrue([for it in aws_bedrockagentcore_oauth2_credential_provider.this.oauth2_provider_config[0].custom_oauth2_provider_config[0].oauth_discovery :
      it.discovery_url == null && it.authorization_server_metadata[0].issuer == "https://login.example.com" && it.authorization_server_metadata[0].token_endpoint == "https://login.example.com/oauth2/token"
    ])
    error_message = "AgentCore is told where the tokens are."
  }
}
