output "tag" {
  description = "The image's tag, which is derived from the source and known before it is built."
  value       = local.tag
}

output "repository_url" {
  description = "The repository that holds it, as its name begins."
  value       = local.repository.url
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
