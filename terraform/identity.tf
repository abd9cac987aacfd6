# Every role below is made from permissions.json, which `make generate` writes from what the code declares, and a test
# compares with this plan. Take a part of Firebreak's reach away by taking its variable away; nothing else grants it.

resource "google_service_account" "function" {
  for_each = local.functions

  project      = var.project_id
  account_id   = "${var.name}-${each.key}"
  display_name = "Firebreak: ${each.value.about}"
}

# Who calls a function: its subscription, under a name of its own, so that no other can call it in its stead.
resource "google_service_account" "push" {
  for_each = local.subscribed

  project      = var.project_id
  account_id   = "${var.name}-${each.key}-push"
  display_name = "Firebreak: calls ${each.key}, and nothing else"
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.subscribed

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.push[each.key].member
}

# Pub/Sub signs the calls as that account. Its agent's own role includes this in projects made since 2021.
resource "google_service_account_iam_member" "push" {
  for_each = local.subscribed

  service_account_id = "projects/${var.project_id}/serviceAccounts/${google_service_account.push[each.key].email}"
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = local.pubsub_agent

  depends_on = [time_sleep.agents]
}

# What it may do in the organization.

locals {
  monitor_only = length(var.contain_targets) == 0

  # Custom roles can only be bound on folders and the organization when they are the organization's own. They are there
  # whatever the variables say: a deleted role's name is locked for a month, and whoever took a variable away and wanted it
  # back would be locked out with it. Variables make and unmake bindings alone; a role that nobody is bound to grants nothing.
  roles = { for role in ["findings", "read", "marks", "contain", "act_as", "accounts"] : role => "${replace(var.name, "-", "_")}_${role}" }

  organization = "organizations/${var.organization_id}"

  # Where each role is bound; nowhere, where that is empty. actAs cannot be limited to "while updating a Cloud Run service", and it cannot be left out:
  # Cloud Run asks for it on the template's service account even when only traffic moves. So it is a role of its own,
  # never on more than contain_targets, and on single service accounts where those are named. Disabling an account stops
  # everything that runs as it, so that is a role of its own too, and granted nowhere until somewhere is named.
  scopes = {
    findings = [local.organization]
    marks    = var.write_marks ? [local.organization] : []
    read     = length(var.read_targets) == 0 ? [local.organization] : tolist(var.read_targets)
    contain  = tolist(var.contain_targets)
    act_as   = length(var.act_as_service_accounts) == 0 ? tolist(var.contain_targets) : tolist(var.act_as_service_accounts)
    accounts = tolist(var.disable_accounts_in)
  }

  # A role cannot be without permissions. One of which all are withheld keeps them, disabled and bound to nobody.
  held   = { for role, one in local.permissions : role => length(one.permissions) > 0 ? one.permissions : one.declared }
  stages = { for role, one in local.permissions : role => length(one.permissions) > 0 ? "GA" : "DISABLED" }

  grants = { for one in flatten([
    for role in keys(local.roles) : [
      for scope in local.stages[role] == "GA" ? local.scopes[role] : [] : [
        for name in local.using[contains(["act_as", "accounts"], role) ? "contain" : role] : { role = role, scope = scope, function = name }
      ]
    ]
  ]) : "${one.function} ${one.role} ${one.scope}" => one }
}

resource "google_organization_iam_custom_role" "role" {
  for_each = local.roles

  org_id      = var.organization_id
  role_id     = each.value
  title       = "Firebreak (${var.name}): ${each.key}"
  description = "To ${local.permissions[each.key].purpose}. Made by Terraform from what the code declares."
  permissions = local.held[each.key]
  stage       = local.stages[each.key]
}

# A role that was just made is not known everywhere for a moment, and a grant of it is refused until then.
resource "time_sleep" "roles" {
  create_duration = "30s"
  triggers = { roles = join(" ", sort([for one in concat(
    values(google_organization_iam_custom_role.role), values(google_project_iam_custom_role.own),
  ) : one.role_id])) }
}

resource "google_organization_iam_member" "grant" {
  for_each = { for name, one in local.grants : name => one if startswith(one.scope, "organizations/") }

  org_id = var.organization_id
  role   = "${local.organization}/roles/${local.roles[each.value.role]}"
  member = google_service_account.function[each.value.function].member

  depends_on = [time_sleep.roles]
}

resource "google_folder_iam_member" "grant" {
  for_each = { for name, one in local.grants : name => one if startswith(one.scope, "folders/") }

  folder = each.value.scope
  role   = "${local.organization}/roles/${local.roles[each.value.role]}"
  member = google_service_account.function[each.value.function].member

  depends_on = [time_sleep.roles]
}

resource "google_project_iam_member" "grant" {
  for_each = { for name, one in local.grants : name => one if can(regex("^projects/[^/]+$", one.scope)) }

  project = trimprefix(each.value.scope, "projects/")
  role    = "${local.organization}/roles/${local.roles[each.value.role]}"
  member  = google_service_account.function[each.value.function].member

  depends_on = [time_sleep.roles]
}

resource "google_service_account_iam_member" "grant" {
  for_each = { for name, one in local.grants : name => one if can(regex("/serviceAccounts/", one.scope)) }

  service_account_id = each.value.scope
  role               = "${local.organization}/roles/${local.roles[each.value.role]}"
  member             = google_service_account.function[each.value.function].member

  depends_on = [time_sleep.roles]
}

# What it may do in its own project: its database, its bucket, its topics, its secrets, each by itself.

resource "google_project_iam_custom_role" "own" {
  for_each = toset(["ledger", "vault"])

  project     = var.project_id
  role_id     = "${replace(var.name, "-", "_")}_${each.key}"
  title       = "Firebreak (${var.name}): ${each.key}"
  description = "${local.permissions[each.key].purpose}. Made by Terraform from what the code declares."
  permissions = local.held[each.key]
  stage       = local.stages[each.key]
}

resource "google_project_iam_member" "ledger" {
  for_each = local.using.ledger

  project = var.project_id
  role    = "projects/${var.project_id}/roles/${google_project_iam_custom_role.own["ledger"].role_id}"
  member  = google_service_account.function[each.key].member

  condition {
    title      = "Only the ledger"
    expression = local.is_ledger
  }

  depends_on = [time_sleep.roles]
}

# People follow their commands by reading the ledger, and look at the evidence.
resource "google_project_iam_member" "commander_reads" {
  for_each = var.commanders

  project = var.project_id
  role    = "roles/datastore.viewer"
  member  = each.key

  condition {
    title      = "Only the ledger"
    expression = local.is_ledger
  }
}

resource "google_storage_bucket_iam_member" "commander_reads" {
  for_each = var.commanders

  bucket = google_storage_bucket.evidence.name
  role   = "roles/storage.objectViewer"
  member = each.key
}

# What the runbook's commands read: the log, the counts of the alerts, and the records.
resource "google_project_iam_member" "commander_views" {
  for_each = { for pair in setproduct(var.commanders, [
    "roles/bigquery.jobUser", "roles/logging.viewer", "roles/monitoring.viewer",
  ]) : join(" ", pair) => pair }

  project = var.project_id
  role    = each.value[1]
  member  = each.value[0]
}

resource "google_bigquery_dataset_iam_member" "commander_reads" {
  for_each = var.commanders

  project    = var.project_id
  dataset_id = google_bigquery_dataset.records.dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = each.key
}

resource "google_storage_bucket_iam_member" "vault" {
  for_each = local.using.vault

  bucket = google_storage_bucket.evidence.name
  role   = "projects/${var.project_id}/roles/${google_project_iam_custom_role.own["vault"].role_id}"
  member = google_service_account.function[each.key].member

  depends_on = [time_sleep.roles]
}

resource "google_pubsub_topic_iam_member" "incidents" {
  for_each = local.using.incidents

  project = var.project_id
  topic   = google_pubsub_topic.incidents.name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.function[each.key].member
}

resource "google_pubsub_topic_iam_member" "unreadable" {
  for_each = local.using.unreadable

  project = var.project_id
  topic   = google_pubsub_topic.unreadable.name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.function[each.key].member
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = { for pair in setproduct(local.using.secrets, keys(local.secrets_in_use)) : join(" ", pair) => pair }

  project   = var.project_id
  secret_id = google_secret_manager_secret.secret[each.value[1]].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value[0]].member
}

# Who read a key, who wrote to the ledger or the vault: the audit log says it. Who published a message it never says: Pub/Sub
# writes no audit log of messages, and that of changes to topics, subscriptions and their policies is always on
# (https://cloud.google.com/pubsub/docs/audit-logging).
resource "google_project_iam_audit_config" "own" {
  for_each = {
    "secretmanager.googleapis.com" = "DATA_READ"
    "datastore.googleapis.com"     = "DATA_WRITE"
    "storage.googleapis.com"       = "DATA_WRITE"
  }

  project = var.project_id
  service = each.key

  audit_log_config {
    log_type = each.value
  }
}
