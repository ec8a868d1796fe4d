# What must be there before anything can be deployed by somebody else than you: a bucket for states, and a role that GitHub Actions and
# HCP Terraform take with a token of theirs (OpenID Connect), so that no key is kept anywhere. Applied once, by hand.

data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

locals {
  account   = data.aws_caller_identity.here.account_id
  partition = data.aws_partition.here.partition

  # Whose tokens are taken, and what they must say.
  issuers = merge(
    var.github_repository == null ? {} : {
      github = {
        host     = "token.actions.githubusercontent.com"
        audience = "sts.amazonaws.com"
        subjects = [for environment in var.github_environments : "repo:${var.github_repository}:environment:${environment}"]
      }
    },
    var.hcp == null ? {} : {
      hcp = {
        host     = "app.terraform.io"
        audience = "aws.workload.identity"
        # A plan may be of anybody who may open a pull request: it gets the same role, since it has to read what is there.
        subjects = flatten([for workspace in var.hcp.workspaces : [
          for phase in ["plan", "apply"] :
          "organization:${var.hcp.organization}:project:${var.hcp.project}:workspace:${workspace}:run_phase:${phase}"
        ]])
      }
    },
  )
}

resource "aws_iam_openid_connect_provider" "this" {
  for_each = local.issuers

  url            = "https://${each.value.host}"
  client_id_list = [each.value.audience]
}

resource "aws_iam_role" "deploy" {
  for_each = local.issuers

  name        = "${var.name}-deploy-${each.key}"
  description = "Deploys ${var.name} for ${each.value.host}"
  # In seconds.
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.this[each.key].arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${each.value.host}:aud" = each.value.audience
          "${each.value.host}:sub" = each.value.subjects
        }
      }
    }]
  })
}

resource "aws_iam_policy" "deploy" {
  #checkov:skip=CKV_AWS_290:AWS knows no resources for making a network, or has none before it is made.
  #checkov:skip=CKV_AWS_355:AWS knows no resources for making a network, or has none before it is made.
  #checkov:skip=CKV_AWS_289:It makes the function's roles, whose names begin with that of the deployment.
  for_each = { for subject, statements in local.permissions : subject => statements if length(local.issuers) > 0 }

  name        = "${var.name}-deploy-${each.key}"
  description = "What it takes to deploy ${var.name}: ${each.key}"
  policy      = jsonencode({ Version = "2012-10-17", Statement = each.value })
}

resource "aws_iam_role_policy_attachment" "deploy" {
  for_each = { for pair in setproduct(keys(local.issuers), keys(local.permissions)) : "${pair[0]}-${pair[1]}" => pair }

  role       = aws_iam_role.deploy[each.value[0]].name
  policy_arn = aws_iam_policy.deploy[each.value[1]].arn
}

resource "aws_s3_bucket" "state" {
  #checkov:skip=CKV_AWS_18:CloudTrail has who read a state, if somebody wants to know.
  #checkov:skip=CKV_AWS_144:Versions guard against mistakes; a region that is gone takes what the state describes with it.
  #checkov:skip=CKV_AWS_145:Encrypted with S3's own key; `Deny` below and the roles say who reads.
  #checkov:skip=CKV2_AWS_62:Nobody waits for events of this bucket.
  count = var.state_bucket ? 1 : 0

  bucket_prefix = "${substr(lower(var.name), 0, 28)}-state-"
}

resource "aws_s3_bucket_versioning" "state" {
  count = var.state_bucket ? 1 : 0

  bucket = aws_s3_bucket.state[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  count = var.state_bucket ? 1 : 0

  bucket = aws_s3_bucket.state[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  count = var.state_bucket ? 1 : 0

  bucket = aws_s3_bucket.state[0].id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "state" {
  count = var.state_bucket ? 1 : 0

  # Versions can only expire where there are some.
  depends_on = [aws_s3_bucket_versioning.state]
  bucket     = aws_s3_bucket.state[0].id

  rule {
    id     = "old-states"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 365
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "state" {
  count = var.state_bucket ? 1 : 0

  depends_on = [aws_s3_bucket_public_access_block.state]
  bucket     = aws_s3_bucket.state[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyEncryptedConnections"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.state[0].arn, "${aws_s3_bucket.state[0].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
