# Starts the build and waits for it. This takes an action of the AWS provider, which Terraform has from 1.14 on. OpenTofu, which has none,
# reads start.tofu in the place of this file.

terraform {
  required_version = ">= 1.14"
}

# An action waits for what its configuration refers to and for nothing else, whatever depends on it: so the tag goes through here.
resource "terraform_data" "ready" {
  input      = local.tag
  depends_on = [aws_s3_object.source, aws_iam_role_policy.build]
}

action "aws_codebuild_start_build" "image" {
  config {
    project_name = aws_codebuild_project.this.name
    timeout      = 3600

    environment_variables_override {
      name  = "IMAGE_TAG"
      value = terraform_data.ready.output
    }
  }
}

# The image, once it is there: built before this is written down, so that a build that failed is made again by the next apply.
resource "terraform_data" "image" {
  input = "${local.repository.url}:${local.tag}"

  lifecycle {
    action_trigger {
      events  = [before_create, before_update]
      actions = [action.aws_codebuild_start_build.image]
    }
  }
}
