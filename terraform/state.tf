locals {
  # What the ledger's own code needs of its database, as that code keeps it.
  firestore = jsondecode(file("${path.module}/../firebreak/adapters/storage/firestore_indexes.json"))
  is_ledger = "resource.name == \"projects/${var.project_id}/databases/${local.database}\""
  database  = "${var.name}-ledger"

  # A field has one resource, whether it is exempt from indexing, has a lifetime, or both.
  fields = { for one in distinct(concat(
    [for one in local.firestore.ttl : { collection = one.collection, field = one.field }],
    [for one in local.firestore.single_field_exemptions : { collection = one.collection, field = one.field }],
  )) : "${one.collection} ${one.field}" => one }
  lifetimes  = toset([for one in local.firestore.ttl : "${one.collection} ${one.field}"])
  exemptions = toset([for one in local.firestore.single_field_exemptions : "${one.collection} ${one.field}"])
}

resource "google_firestore_database" "ledger" {
  project     = var.project_id
  name        = local.database
  location_id = coalesce(var.firestore_location, var.region)
  type        = "FIRESTORE_NATIVE"

  # The way back from every containment is in here.
  delete_protection_state           = var.delete_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.delete_protection ? "ABANDON" : "DELETE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"

  dynamic "cmek_config" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      kms_key_name = cmek_config.value
    }
  }

  depends_on = [time_sleep.key]
}

# Point-in-time recovery goes back seven days and needs the database; a backup outlives both.
resource "google_firestore_backup_schedule" "ledger" {
  project   = var.project_id
  database  = google_firestore_database.ledger.name
  retention = "2592000s" # 30 days

  daily_recurrence {}
}

resource "google_firestore_index" "ledger" {
  for_each = { for one in local.firestore.composite :
    "${one.collection} ${join(" ", [for field in one.fields : "${field.name} ${field.order}"])}" => one
  }

  project    = var.project_id
  database   = google_firestore_database.ledger.name
  collection = each.value.collection

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value.name
      order      = fields.value.order
    }
  }
}

resource "google_firestore_field" "ledger" {
  for_each = local.fields

  project    = var.project_id
  database   = google_firestore_database.ledger.name
  collection = each.value.collection
  field      = each.value.field

  dynamic "ttl_config" {
    for_each = contains(local.lifetimes, each.key) ? [true] : []
    content {}
  }
  # An empty one switches the field's own indexes off.
  dynamic "index_config" {
    for_each = contains(local.exemptions, each.key) ? [true] : []
    content {}
  }
}

resource "google_storage_bucket" "evidence" {
  # checkov:skip=CKV_GCP_78:retention already forbids overwriting and deleting, and the API may refuse versions beside it
  # checkov:skip=CKV_GCP_62:writes are in the project's audit log (identity.tf), which cannot be written to by hand
  project  = var.project_id
  name     = "${var.project_id}-${var.name}-evidence"
  location = var.region
  labels   = local.labels

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  # Not versioned: retention alone forbids overwriting, and Google's pages have had the two exclude each other.
  retention_policy {
    retention_period = tostring(var.evidence_retention_days * 86400)
    is_locked        = var.lock_evidence_retention
  }

  lifecycle_rule {
    condition {
      age = var.evidence_retention_days + 1
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [time_sleep.key]
}
