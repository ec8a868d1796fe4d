output "image_uri" {
  description = "The image, known once it is built."
  value       = terraform_data.image.output
}

output "tag" {
  description = "Its tag, which is derived from the source and known before it is built."
  value       = local.tag
}

output "repository_arn" {
  description = "ARN of the repository that holds it."
  value       = local.repository.arn
}

output "project_name" {
  description = "CodeBuild project that builds it."
  value       = aws_codebuild_project.this.name
}

output "files" {
  description = "What of the directory is sent to be built."
  value       = local.files
}
