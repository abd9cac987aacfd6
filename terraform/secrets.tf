locals {
  secrets = merge(local.notify_secrets, {
    seal_key           = { variable = "FIREBREAK_SEAL_KEY", version = var.secret_versions.seal_key }
    virustotal_api_key = { variable = "VIRUSTOTAL_API_KEY", version = var.secret_versions.virustotal_api_key }
    slack_webhook      = { variable = "FIREBREAK_SLACK_WEBHOOK", version = var.secret_versions.slack_webhook }
    chat_webhook       = { variable = "FIREBREAK_CHAT_WEBHOOK", version = var.secret_versions.chat_webhook }
  })
  notify_secrets = { for name, version in var.notify_secret_versions : "notify_${name}" => {
    variable = "FIREBREAK_NOTIFY_${upper(name)}"
    version  = version
  } }
  secrets_in_use = { for name, one in local.secrets : name => one if one.version != null }
}

# All of them exist, empty, so that an operator only adds a version and then names it in secret_versions.
resource "google_secret_manager_secret" "secret" {
  for_each = local.secrets

  project             = var.project_id
  secret_id           = "${var.name}-${replace(each.key, "_", "-")}"
  labels              = local.labels
  deletion_protection = var.delete_protection

  replication {
    user_managed {
      replicas {
        location = var.region
        dynamic "customer_managed_encryption" {
          for_each = var.kms_key == null ? [] : [var.kms_key]
          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [time_sleep.key]
}

# The first seal key, so that what the first finding leaves behind is sealed. An ephemeral value goes into a write-only
# argument: it is in no state and in no plan. It is written once; rotation adds versions by hand (docs/operations.md).
ephemeral "random_password" "seal_key" {
  length  = 64
  special = false
}

resource "google_secret_manager_secret_version" "seal_key" {
  secret                 = google_secret_manager_secret.secret["seal_key"].id
  secret_data_wo         = ephemeral.random_password.seal_key.result
  secret_data_wo_version = 1
  deletion_policy        = "ABANDON"
}
