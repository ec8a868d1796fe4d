# The gateway on ECS Fargate behind a load balancer. Each file beside this one has one subject: load_balancer.tf is the way in,
# service.tf what runs, iam.tf what it may do, shared_state.tf what replicas share, scaling.tf how many there are, alarms.tf what is
# worth a look.

module "network" {
  source = "../modules/network"
  count  = var.network == null ? 1 : 0

  name              = var.name
  cidr              = var.vpc_cidr
  zone_count        = var.zone_count
  egress            = var.egress
  endpoint_services = var.endpoint_services
}

module "session_key" {
  source = "../modules/session-key"
  count  = var.session_key_secret_arn == null ? 1 : 0

  name        = var.name
  key_version = var.session_key_version
  kms_key_arn = var.kms_key_arn
}

resource "aws_cloudwatch_log_group" "gateway" {
  #checkov:skip=CKV_AWS_158:CloudWatch encrypts logs in any case; `kms_key_arn` has them encrypted with a key of yours.
  #checkov:skip=CKV_AWS_338:How long logs are kept is `log_retention_days`.
  name              = "/causeway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_ecr_repository" "gateway" {
  #checkov:skip=CKV_AWS_136:ECR encrypts images in any case; `kms_key_arn` has them encrypted with a key of yours.
  count = var.create_repository ? 1 : 0

  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  # AWS refuses to delete a repository with images, and `terraform destroy` would stop half-way. Images can be pushed again.
  force_delete = true

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = var.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "gateway" {
  count = var.create_repository ? 1 : 0

  repository = aws_ecr_repository.gateway[0].name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "The last twenty images are enough to go back to."
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 20 }
      action       = { type = "expire" }
    }]
  })
}
