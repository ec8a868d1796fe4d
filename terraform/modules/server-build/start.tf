# Starts the build of one image and waits for it. This takes an action of the AWS provider, which Terraform has from 1.14 on. OpenTofu, which
# has none, reads start.tofu in the place of this file.

terraform {
  required_version = ">= 1.14"
}

# An action waits for what its configuration refers to and for nothing else, whatever its module depends on: so the tag goes through here.
resource "terraform_data" "ready" {
  input = var.tag
}

action "aws_codebuild_start_build" "image" {
  config {
    project_name = var.project_name
    timeout      = 3600

    environment_variables_override {
      name  = "IMAGE_TAG"
      value = terraform_data.ready.output
    }
  }
}

# The image, once it is there: built before this is written down, so that a build that failed is made again by the next apply.
resource "terraform_data" "image" {
  input = "${var.repository_url}:${var.tag}"

  lifecycle {
    action_trigger {
      events  = [before_create, before_update]
      actions = [action.aws_codebuild_start_build.image]
    }
  }
}
