# Containment below named folders alone, after a person's approval. Firebreak's own project lies outside of them, so that
# not even a stolen identity of it reaches Firebreak itself; findings of the rest of the organization are recorded.

terraform {
  required_version = ">= 1.11"

  # The bucket's name is given to `terraform init`.
  backend "gcs" {}
}

# Calls to organizations need a project that pays their quota; without these lines they are refused.
provider "google" {
  project               = var.project_id
  region                = var.region
  billing_project       = var.project_id
  user_project_override = true
}

provider "google-beta" {
  project               = var.project_id
  region                = var.region
  billing_project       = var.project_id
  user_project_override = true
}

variable "organization_id" {
  type = string
}

variable "project_id" {
  type = string
}

variable "region" {
  type = string
}

variable "alert_email" {
  type = string
}

variable "runbook_url" {
  type = string
}

variable "source_archive" {
  type = string
}

variable "folders" {
  description = "Numbers of the folders below which Firebreak may contain."
  type        = set(string)
}

variable "commanders" {
  description = "Who may approve, release and halt, such as group:security-oncall@acme.example."
  type        = set(string)
}

module "firebreak" {
  source = "../.."

  organization_id = var.organization_id
  project_id      = var.project_id
  region          = var.region
  alert_email     = var.alert_email
  runbook_url     = var.runbook_url
  source_archive  = var.source_archive

  contain_targets = [for one in var.folders : "folders/${one}"]
  read_targets    = [for one in var.folders : "folders/${one}"]
  ceiling         = "approve"
  write_marks     = true
  commanders      = var.commanders
}

output "firebreak" {
  description = "What was made, and all that it may do outside its own project."
  value       = module.firebreak
}
