# Your deployment of Firebreak: copy this file into a folder of your own, beside your checkout or anywhere else, and write
# your values into terraform.tfvars beside it. Nothing else has to be edited; docs/deploy.md goes through it step by step.

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

# The checkout beside this folder. Without one, the same by its version:
# source = "git::https://github.com/acme/firebreak.git//terraform?ref=v0.1.0"
module "firebreak" {
  source = "../firebreak/terraform"

  organization_id               = var.organization_id
  project_id                    = var.project_id
  region                        = var.region
  source_archive                = var.source_archive
  alert_email                   = var.alert_email
  runbook_url                   = var.runbook_url
  contain_targets               = var.contain_targets
  act_as_service_accounts       = var.act_as_service_accounts
  disable_accounts_in           = var.disable_accounts_in
  ceiling                       = var.ceiling
  write_marks                   = var.write_marks
  read_targets                  = var.read_targets
  withhold                      = var.withhold
  extra_actions                 = var.extra_actions
  commanders                    = var.commanders
  drill                         = var.drill
  finding_locations             = var.finding_locations
  extra_categories              = var.extra_categories
  narrow_filter                 = var.narrow_filter
  name                          = var.name
  runtime                       = var.runtime
  min_instances                 = var.min_instances
  max_instances                 = var.max_instances
  vpc                           = var.vpc
  build_worker_pool             = var.build_worker_pool
  kms_key                       = var.kms_key
  secret_versions               = var.secret_versions
  notify_secret_versions        = var.notify_secret_versions
  evidence_retention_days       = var.evidence_retention_days
  lock_evidence_retention       = var.lock_evidence_retention
  record_days                   = var.record_days
  firestore_location            = var.firestore_location
  delete_protection             = var.delete_protection
  notification_channels         = var.notification_channels
  sweep_schedule                = var.sweep_schedule
  containment_objective_seconds = var.containment_objective_seconds
  labels                        = var.labels
}

output "firebreak" {
  description = "What was made, and all that it may do outside its own project."
  value       = module.firebreak
}

# Described, with their defaults and what they refuse, in the module's variables.tf.
variable "organization_id" {}
variable "project_id" {}
variable "region" {}
variable "source_archive" {}
variable "alert_email" { default = null }
variable "runbook_url" {}
variable "contain_targets" { default = null }
variable "act_as_service_accounts" { default = null }
variable "disable_accounts_in" { default = null }
variable "ceiling" { default = null }
variable "write_marks" { default = null }
variable "read_targets" { default = null }
variable "withhold" { default = null }
variable "extra_actions" { default = null }
variable "commanders" { default = null }
variable "drill" { default = null }
variable "finding_locations" { default = null }
variable "extra_categories" { default = null }
variable "narrow_filter" { default = null }
variable "name" { default = null }
variable "runtime" { default = null }
variable "min_instances" { default = null }
variable "max_instances" { default = null }
variable "vpc" { default = null }
variable "build_worker_pool" { default = null }
variable "kms_key" { default = null }
variable "secret_versions" { default = null }
variable "notify_secret_versions" { default = null }
variable "evidence_retention_days" { default = null }
variable "lock_evidence_retention" { default = null }
variable "record_days" { default = null }
variable "firestore_location" { default = null }
variable "delete_protection" { default = null }
variable "notification_channels" { default = null }
variable "sweep_schedule" { default = null }
variable "containment_objective_seconds" { default = null }
variable "labels" { default = null }
