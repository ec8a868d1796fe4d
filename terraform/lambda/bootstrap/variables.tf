variable "region" {
  description = "Region of the state bucket, and of what is deployed."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "`${var.region}` is no region: write one such as us-east-1."
  }
}

variable "name" {
  description = "What the names of all deployments begin with, such as tools for tools and tools-dev."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-zA-Z]+(-[0-9a-zA-Z]+)*$", var.name)) && length(var.name) <= 24
    error_message = "`${var.name}` cannot begin names: write at most 24 letters and digits, with single dashes between them, such as tools."
  }
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}

variable "state_bucket" {
  description = "Make a bucket for states. Not needed with HCP Terraform, which keeps them."
  type        = bool
  default     = true
}

variable "github_repository" {
  description = "The repository whose workflows may deploy, as owner/name. Null: none."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null ? true : can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "`${coalesce(var.github_repository, "-")}` is no repository: write owner/name, without https://github.com/."
  }
}

variable "github_environments" {
  description = "The environments of that repository whose jobs may deploy; their protection rules say who approves."
  type        = list(string)
  default     = ["dev", "prod"]

  validation {
    condition     = length(var.github_environments) > 0 && alltrue([for name in var.github_environments : can(regex("^[A-Za-z0-9._-]+$", name))])
    error_message = "github_environments are names of environments, without wildcards: write some such as dev and prod."
  }
}

variable "hcp" {
  description = "The workspaces of HCP Terraform that may deploy. Null: none."
  type = object({
    organization = string
    project      = optional(string, "causeway")
    workspaces   = list(string)
  })
  default = null

  validation {
    condition     = var.hcp == null ? true : alltrue([for name in concat([try(var.hcp.organization, ""), try(var.hcp.project, "")], try(var.hcp.workspaces, [])) : can(regex("^[A-Za-z0-9 _-]+$", name))]) && length(try(var.hcp.workspaces, [])) > 0
    error_message = "hcp names an organization and one or more workspaces, without wildcards: write { organization = \"ours\", workspaces = [\"causeway-dev\", \"causeway-prod\"] }."
  }
}
