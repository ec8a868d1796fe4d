variable "project_name" {
  description = "CodeBuild project that builds it."
  type        = string
}

variable "repository_url" {
  description = "Repository that holds the image."
  type        = string
}

variable "tag" {
  description = "Tag of the image; it is built again when this is another."
  type        = string
}

variable "source_directory" {
  description = "What it is built from, for who is told that it cannot be."
  type        = string
}
