# How the gateway gets tokens for one target: an OAuth2 credential provider of AgentCore Identity, which keeps the client's secret.

resource "aws_bedrockagentcore_oauth2_credential_provider" "this" {
  name                       = "${var.name}-identity"
  credential_provider_vendor = "CustomOauth2"

  oauth2_provider_config {
    custom_oauth2_provider_config {
      client_id_wo                  = var.client_id
      client_secret_wo              = var.client_secret
      client_credentials_wo_version = var.secret_version

      oauth_discovery {
        discovery_url = var.discovery_url

        dynamic "authorization_server_metadata" {
          for_each = var.token_endpoint == null ? [] : [var.token_endpoint]

          content {
            issuer                 = var.issuer
            token_endpoint         = authorization_server_metadata.value
            authorization_endpoint = coalesce(var.authorization_endpoint, authorization_server_metadata.value)
          }
        }
      }
    }
  }
}
