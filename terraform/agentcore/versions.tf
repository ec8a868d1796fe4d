terraform {
  # Actions, with which modules/server-build starts a build, came with 1.14. OpenTofu reads versions.tofu in place of this.
  required_version = ">= 1.14"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.69"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = var.account_id == null ? null : [var.account_id]

  default_tags {
    tags = var.tags
  }
}
