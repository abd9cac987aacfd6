# Every announced record, whole, in one table; typed columns are views on it. A record that did not fit a table's schema
# would be refused and lost to the auditor, so the table takes any JSON, and a test holds the views to the code's record.

resource "google_pubsub_topic" "incidents" {
  project                    = var.project_id
  name                       = "${var.name}-incidents"
  kms_key_name               = var.kms_key
  labels                     = local.labels
  message_retention_duration = "604800s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [time_sleep.key]
}

resource "google_bigquery_dataset" "records" {
  project       = var.project_id
  dataset_id    = replace(var.name, "-", "_")
  friendly_name = "Firebreak's incident records"
  location      = var.region
  labels        = local.labels

  delete_contents_on_destroy = !var.delete_protection

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  depends_on = [time_sleep.key]
}

resource "google_bigquery_table" "messages" {
  project             = var.project_id
  dataset_id          = google_bigquery_dataset.records.dataset_id
  table_id            = "messages"
  description         = "Every announcement of an incident: the record in data, its attributes beside it."
  labels              = local.labels
  deletion_protection = var.delete_protection

  # Said again, because BigQuery writes the dataset's key to each table, and a plan would take it away.
  dynamic "encryption_configuration" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      kms_key_name = encryption_configuration.value
    }
  }

  time_partitioning {
    type          = "DAY"
    field         = "publish_time"
    expiration_ms = var.record_days * 86400000
  }

  # The names are Pub/Sub's.
  schema = jsonencode([
    { name = "subscription_name", type = "STRING" },
    { name = "message_id", type = "STRING" },
    { name = "publish_time", type = "TIMESTAMP" },
    { name = "attributes", type = "JSON" },
    { name = "data", type = "JSON" },
  ])
}

locals {
  # SAFE_CAST: an older record that lacks a field, or has another in its place, is a row with an empty column.
  columns = [for one in jsondecode(file("${path.module}/record.json")) : {
    name = one.name
    expression = {
      STRING    = "JSON_VALUE(data, '${one.path}')"
      JSON      = "JSON_QUERY(data, '${one.path}')"
      INT64     = "SAFE_CAST(JSON_VALUE(data, '${one.path}') AS INT64)"
      BOOL      = "SAFE_CAST(JSON_VALUE(data, '${one.path}') AS BOOL)"
      TIMESTAMP = "SAFE_CAST(REGEXP_REPLACE(JSON_VALUE(data, '${one.path}'), r'(\\.\\d{6})\\d+Z$', r'\\1Z') AS TIMESTAMP)"
    }[one.type]
  }]
  records = "${var.project_id}.${google_bigquery_dataset.records.dataset_id}"
}

resource "google_bigquery_table" "announcements" {
  # checkov:skip=CKV_GCP_80:a view holds nothing
  # checkov:skip=CKV_GCP_121:a view holds nothing, and changes with the record
  project             = var.project_id
  dataset_id          = google_bigquery_dataset.records.dataset_id
  table_id            = "announcements"
  description         = "One row for each announcement, with the record's fields as columns."
  labels              = local.labels
  deletion_protection = false

  view {
    use_legacy_sql = false
    query = join("\n", concat(
      ["SELECT"],
      [for one in local.columns : "  ${one.expression} AS ${one.name},"],
      ["  publish_time, attributes, data", "FROM `${local.records}.${google_bigquery_table.messages.table_id}`", "WHERE JSON_VALUE(attributes, '$.incident') IS NOT NULL"],
    ))
  }
}

resource "google_bigquery_table" "incidents" {
  # checkov:skip=CKV_GCP_80:a view holds nothing
  # checkov:skip=CKV_GCP_121:a view holds nothing, and changes with the record
  project             = var.project_id
  dataset_id          = google_bigquery_dataset.records.dataset_id
  table_id            = "incidents"
  description         = "One row for each incident, as it was announced last."
  labels              = local.labels
  deletion_protection = false

  view {
    use_legacy_sql = false
    query          = "SELECT * FROM `${local.records}.${google_bigquery_table.announcements.table_id}` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY updated DESC, publish_time DESC) = 1"
  }
}

resource "google_bigquery_table_iam_member" "pubsub_writes" {
  project    = var.project_id
  dataset_id = google_bigquery_dataset.records.dataset_id
  table_id   = google_bigquery_table.messages.table_id
  role       = "roles/bigquery.dataEditor"
  member     = local.pubsub_agent

  depends_on = [time_sleep.agents]
}

resource "google_pubsub_subscription" "records" {
  project                    = var.project_id
  name                       = "${var.name}-records"
  topic                      = local.topics.incidents
  labels                     = local.labels
  ack_deadline_seconds       = 180
  message_retention_duration = "604800s"

  bigquery_config {
    table          = "${local.records}.${google_bigquery_table.messages.table_id}"
    write_metadata = true
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = "projects/${var.project_id}/topics/${google_pubsub_topic.dead["records"].name}"
    max_delivery_attempts = 20
  }

  expiration_policy {
    ttl = ""
  }

  depends_on = [google_bigquery_table_iam_member.pubsub_writes, google_pubsub_topic_iam_member.dead]
}
