# A key of yours instead of Google's own, on everything that keeps data. The agents that encrypt with it are Google's; each
# has to exist and to be granted the key before the first thing is made under it.

locals {
  agent = { for name in ["artifactregistry", "cloudfunctions", "eventarc", "firestore", "run", "secretmanager"] : name => "${name}.googleapis.com" if var.kms_key != null }

  # Of functions these are named by https://cloud.google.com/functions/docs/securing/cmek, with and without a trigger.
  encrypting = var.kms_key == null ? {} : {
    artifactregistry = "service-${local.project_number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
    bigquery         = "bq-${local.project_number}@bigquery-encryption.iam.gserviceaccount.com"
    cloudfunctions   = "service-${local.project_number}@gcf-admin-robot.iam.gserviceaccount.com"
    eventarc         = "service-${local.project_number}@gcp-sa-eventarc.iam.gserviceaccount.com"
    firestore        = "service-${local.project_number}@gcp-sa-firestore.iam.gserviceaccount.com"
    pubsub           = "service-${local.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    run              = "service-${local.project_number}@serverless-robot-prod.iam.gserviceaccount.com"
    secretmanager    = "service-${local.project_number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
    storage          = "service-${local.project_number}@gs-project-accounts.iam.gserviceaccount.com"
  }
}

# Storage and BigQuery make theirs when they are asked who it is.
data "google_storage_project_service_account" "this" {
  count = var.kms_key == null ? 0 : 1

  project = var.project_id

  depends_on = [time_sleep.apis]
}

data "google_bigquery_default_service_account" "this" {
  count = var.kms_key == null ? 0 : 1

  project = var.project_id

  depends_on = [time_sleep.apis]
}

resource "google_kms_crypto_key_iam_member" "encrypts" {
  for_each = local.encrypting

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${each.value}"

  depends_on = [
    time_sleep.agents,
    data.google_storage_project_service_account.this,
    data.google_bigquery_default_service_account.this,
  ]
}

# What keeps data waits for this: for the APIs alone, and with a key for its grants too.
resource "time_sleep" "key" {
  create_duration = var.kms_key == null ? "0s" : "60s"
  triggers        = { key = coalesce(var.kms_key, "Google's own") }

  depends_on = [time_sleep.apis, google_kms_crypto_key_iam_member.encrypts]
}
