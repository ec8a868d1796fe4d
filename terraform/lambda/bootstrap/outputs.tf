output "state_bucket" {
  description = "The bucket for states, for environments/NAME.s3.tfbackend; null if none was made."
  value       = one(aws_s3_bucket.state[*].bucket)
}

output "github_role_arn" {
  description = "What a workflow takes (aws-actions/configure-aws-credentials, role-to-assume); null if none was made."
  value       = try(aws_iam_role.deploy["github"].arn, null)
}

output "hcp_variables" {
  description = "Environment variables of each workspace of HCP Terraform; empty if no role was made for it."
  value = contains(keys(local.issuers), "hcp") ? {
    TFC_AWS_PROVIDER_AUTH = "true"
    TFC_AWS_RUN_ROLE_ARN  = aws_iam_role.deploy["hcp"].arn
  } : {}
}
