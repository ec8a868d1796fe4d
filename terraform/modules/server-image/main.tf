# The container image of one server: its source in S3, the repository, and the CodeBuild project that makes the one into the other.
# ../server-build starts it.

locals {
  # What is never needed to build an image and must not lie in a bucket: settings, state and credentials; then what a build makes anew.
  private = "(^|/)(\\.env(\\.[^/]*)?|[^/]*\\.tfstate(\\.[^/]*)?|[^/]*\\.tfvars(\\.json)?|\\.agentcore-credentials-[^/]*)$"
  hidden  = "(^|/)(\\.env|\\.git|\\.terraform|\\.aws|\\.ssh|\\.venv|node_modules|__pycache__)/"
  built   = "^target/"
  example = "(^|/)\\.env\\.example$"

  files = toset([
    for path in fileset(var.source_directory, "**") : path
    if(!can(regex(local.private, path)) || can(regex(local.example, path))) && !can(regex(local.hidden, path)) && !can(regex(local.built, path))
  ])

  # The tag says what is in the image: another source is another tag, the same source is the same image.
  digests = { for path in local.files : path => filesha256("${var.source_directory}/${path}") }
  tag     = substr(sha256(jsonencode(local.digests)), 0, 20)

  project = "${var.name}-build"
}

resource "aws_s3_object" "source" {
  #checkov:skip=CKV_AWS_186:Encrypted with S3's own key, as the bucket says.
  for_each = local.files

  bucket      = var.bucket.id
  key         = "${var.name}/${each.key}"
  source      = "${var.source_directory}/${each.key}"
  source_hash = local.digests[each.key]

  # An object takes ten tags, and each costs something: these have none.
  override_provider {
    default_tags {
      tags = {}
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.files) <= 2000
      error_message = "`${var.source_directory}` holds ${length(local.files)} files, more than the 2000 that are sent: name a directory that holds the server alone, or build the image elsewhere and give its image_uri."
    }
  }
}

resource "aws_codebuild_project" "this" {
  #checkov:skip=CKV_AWS_147:The build leaves no artifacts; logs and image are encrypted where they are.
  #checkov:skip=CKV_AWS_316:Docker builds images in privileged mode only.
  name           = local.project
  description    = "Builds the image of ${var.name} for linux/arm64"
  service_role   = aws_iam_role.build.arn
  build_timeout  = 60
  queued_timeout = 60

  artifacts {
    type = "NO_ARTIFACTS"
  }

  # A machine with the architecture of AgentCore Runtime, so that nothing is emulated.
  environment {
    type            = "ARM_CONTAINER"
    compute_type    = var.compute_type
    image           = "aws/codebuild/amazonlinux-aarch64-standard:3.0"
    privileged_mode = true

    environment_variable {
      name  = "REPOSITORY_URL"
      value = local.repository.url
    }

    environment_variable {
      name  = "REPOSITORY_NAME"
      value = local.repository.name
    }
  }

  source {
    type      = "S3"
    location  = "${var.bucket.id}/${var.name}/"
    buildspec = file("${path.module}/buildspec.yml")
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.build.name
    }
  }
}

resource "aws_cloudwatch_log_group" "build" {
  #checkov:skip=CKV_AWS_158:Encrypted by CloudWatch; a build's log holds nothing that asks for a key of its own.
  #checkov:skip=CKV_AWS_338:A month is enough to look into a build that failed.
  name              = "/aws/codebuild/${local.project}"
  retention_in_days = 30
}
