# Where the image is kept: a repository of its own, or one that exists.

locals {
  repository = one(concat(
    [for it in aws_ecr_repository.this : { name = it.name, arn = it.arn, url = it.repository_url }],
    [for it in data.aws_ecr_repository.given : { name = it.name, arn = it.arn, url = it.repository_url }],
  ))
}

resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_136:Encrypted with ECR's own key; a key of KMS would cost money and add no reader to keep out.
  count = var.repository_name == null ? 1 : 0

  name                 = lower(var.name)
  image_tag_mutability = "IMMUTABLE"
  force_delete         = true

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  count = length(aws_ecr_repository.this)

  repository = aws_ecr_repository.this[0].name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "The ten latest images"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }
      action       = { type = "expire" }
    }]
  })
}

data "aws_ecr_repository" "given" {
  count = var.repository_name == null ? 0 : 1

  name = var.repository_name
}
