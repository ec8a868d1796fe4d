# What AWS would answer, as far as the configuration reads it.

mock_data "aws_availability_zones" {
  defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
}

mock_data "aws_region" {
  defaults = { region = "us-east-1" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_resource "aws_elasticache_serverless_cache" {
  defaults = {
    arn      = "arn:aws:elasticache:us-east-1:123456789012:serverlesscache:causeway"
    endpoint = [{ address = "causeway-abc123.serverless.use1.cache.amazonaws.com", port = 6379 }]
  }
}

mock_resource "aws_elasticache_user" {
  defaults = { arn = "arn:aws:elasticache:us-east-1:123456789012:user:causeway-gateway" }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:causeway/session-key-AbCdEf" }
}

mock_resource "aws_secretsmanager_secret_version" {
  defaults = { version_id = "11111111-2222-3333-4444-555555555555" }
}

mock_resource "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-1111-2222-3333-444444444444"
    domain_validation_options = [{
      domain_name           = "gateway.example.com"
      resource_record_name  = "_proof.gateway.example.com."
      resource_record_type  = "CNAME"
      resource_record_value = "_proof.acm-validations.aws."
    }]
  }
}
