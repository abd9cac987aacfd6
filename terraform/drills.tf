# What `firebreak drill` needs: a source of its own, an account without any role for each canary to run as, and for commanders
# just enough to deploy one and to write a finding into that source. Firebreak itself gets nothing by it.

locals {
  drill_projects = var.drill == null ? toset([]) : var.drill.projects
  # A source cannot be deleted: one that an organization has already can be named instead.
  makes_source  = var.drill != null && try(var.drill.source, null) == null
  drill_account = var.name == "firebreak" ? "firebreak-drill" : "firebreak-drill-${var.name}"
  drill_pairs   = { for pair in setproduct(local.drill_projects, var.commanders) : join(" ", pair) => { project = pair[0], member = pair[1] } }
}

resource "google_scc_v2_organization_source" "drill" {
  count = local.makes_source ? 1 : 0

  organization = var.organization_id
  display_name = "Firebreak drill (${var.name})"
  description  = "Findings that people write to rehearse, about canaries alone. Made by Terraform."

  depends_on = [time_sleep.apis]
}

locals {
  drill_source = var.drill == null ? null : local.makes_source ? google_scc_v2_organization_source.drill[0].name : "${local.organization}/sources/${var.drill.source}"
}

resource "google_scc_v2_organization_source_iam_member" "drill" {
  for_each = var.drill == null ? toset([]) : var.commanders

  organization = var.organization_id
  source       = local.drill_source
  role         = "roles/securitycenter.findingsEditor"
  member       = each.key

  depends_on = [time_sleep.apis]
}

resource "google_service_account" "canary" {
  for_each = local.drill_projects

  project      = each.key
  account_id   = local.drill_account
  display_name = "Firebreak: a canary runs as this; it has no role"
}

resource "google_service_account_iam_member" "canary" {
  for_each = local.drill_pairs

  service_account_id = google_service_account.canary[each.value.project].name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value.member
}

resource "google_project_iam_member" "drill" {
  for_each = local.drill_pairs

  project = each.value.project
  role    = "roles/run.developer"
  member  = each.value.member
}
