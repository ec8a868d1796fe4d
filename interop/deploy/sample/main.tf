# A small root for the checks of the stand-in itself.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.69"
    }
  }
}

variable "secret" {
  type      = string
  sensitive = true
  default   = "never in a state"
}

data "aws_caller_identity" "self" {}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.source.arn}/*"]
  }
}

resource "aws_s3_bucket" "source" {
  bucket = "source-${data.aws_caller_identity.self.account_id}"
}

resource "aws_iam_role" "reader" {
  name               = "reader"
  assume_role_policy = "{}"
}

resource "aws_iam_role_policy" "reader" {
  name   = "read"
  role   = aws_iam_role.reader.id
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_bedrockagentcore_oauth2_credential_provider" "server" {
  name                       = "server-identity"
  credential_provider_vendor = "CustomOauth2"

  oauth2_provider_config {
    custom_oauth2_provider_config {
      client_id_wo                  = "client"
      client_secret_wo              = var.secret
      client_credentials_wo_version = 1

      oauth_discovery {
        discovery_url = "https://issuer.example.com/.well-known/openid-configuration"
      }
    }
  }
}

output "secret_arn" {
  value = aws_bedrockagentcore_oauth2_credential_provider.server.client_secret_arn[0].secret_arn
}
