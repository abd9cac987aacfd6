# Findings from anywhere in the organization reach Firebreak, which records what it would do and changes nothing.
# Fill in the six values of terraform.tfvars.example; docs/deploy.md goes through it step by step.

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

module "firebreak" {
  source = "../.."

  organization_id = var.organization_id
  project_id      = var.project_id
  region          = var.region
  alert_email     = var.alert_email
  runbook_url     = var.runbook_url
  source_archive  = var.source_archive
}

output "firebreak" {
  description = "What was made, and all that it may do outside its own project."
  value       = module.firebreak
}
