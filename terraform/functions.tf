locals {
  services = [for name in keys(local.functions) : "locations/${var.region}/services/${var.name}-${name}"]

  # Both spellings of the project: findings name it by either.
  self = flatten([for one in local.services : [
    "//run.googleapis.com/projects/${var.project_id}/${one}",
    "//run.googleapis.com/projects/${local.project_number}/${one}",
  ]])

  environment = {
    FIREBREAK_LEDGER            = "firestore://${var.project_id}/${google_firestore_database.ledger.name}"
    FIREBREAK_EVIDENCE          = "gs://${google_storage_bucket.evidence.name}/incidents"
    FIREBREAK_CEILING           = var.ceiling
    FIREBREAK_INCIDENTS_TOPIC   = local.topics.incidents
    FIREBREAK_DEAD_LETTER_TOPIC = local.topics.unreadable
    FIREBREAK_SELF              = join(",", local.self)
    FIREBREAK_SCC_LOCATIONS     = join(",", sort(var.finding_locations))
    FIREBREAK_SCC_MARKS         = var.write_marks ? "on" : "off"
    # functions-framework: one process, and a thread for each request that the instance is given.
    WORKERS = "1"
    THREADS = tostring(local.concurrency)
    # Google sets this one itself; not to name it would plan to take it away again each time.
    LOG_EXECUTION_ID = "true"
  }

  # A finding takes under 0.1 s of the processor and some seconds of waiting for answers: sixteen at once fill one CPU for
  # less time than each of them waits, and are far from filling the memory (docs/performance.md).
  concurrency = 16
}

resource "google_cloudfunctions2_function" "function" {
  for_each = local.functions

  project     = var.project_id
  location    = var.region
  name        = "${var.name}-${each.key}"
  description = "Firebreak: ${each.value.about}."
  labels      = local.labels
  # The images' repository has the same key, as it must.
  kms_key_name = var.kms_key

  build_config {
    runtime           = var.runtime
    entry_point       = each.value.entry_point
    docker_repository = google_artifact_registry_repository.images.id
    service_account   = "projects/${var.project_id}/serviceAccounts/${google_service_account.build.email}"
    worker_pool       = var.build_worker_pool

    # Google's build compiles the modules, and the image then gives every file another time. With this the compiled ones go
    # by their sources' digests instead of times, and a cold start does not compile everything anew.
    environment_variables = { SOURCE_DATE_EPOCH = "315532800" }

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  # No event_trigger: a trigger's subscription has no dead letters and a retention of a day. Ours are in this file.
  service_config {
    service_account_email = google_service_account.function[each.key].email
    # Only from this project's Pub/Sub; and the invoker role is its subscription's alone.
    ingress_settings               = "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision = true

    # An event has 100 s. This ends what hangs beyond it, and the acknowledgement deadline of 180 s ends after this.
    timeout_seconds = 150

    # Sixteen findings at once were measured at 184 MB, with all clients loaded; more than one request needs a whole CPU.
    available_memory                 = "512Mi"
    available_cpu                    = "1"
    max_instance_request_concurrency = local.concurrency
    min_instance_count               = each.value.min_instances
    max_instance_count               = var.max_instances

    environment_variables = merge(local.environment, try(each.value.environment, {}))

    dynamic "secret_environment_variables" {
      for_each = contains(each.value.uses, "secrets") ? local.secrets_in_use : {}
      content {
        project_id = var.project_id
        key        = secret_environment_variables.value.variable
        secret     = google_secret_manager_secret.secret[secret_environment_variables.key].secret_id
        version    = secret_environment_variables.value.version
      }
    }

    direct_vpc_egress = var.vpc == null ? null : "VPC_EGRESS_ALL_TRAFFIC"
    dynamic "direct_vpc_network_interface" {
      for_each = var.vpc == null ? [] : [var.vpc]
      content {
        network    = direct_vpc_network_interface.value.network
        subnetwork = direct_vpc_network_interface.value.subnetwork
      }
    }
  }

  depends_on = [
    google_secret_manager_secret_iam_member.reads,
    google_secret_manager_secret_version.seal_key,
    time_sleep.build_grants,
  ]
}

resource "google_pubsub_subscription" "push" {
  for_each = local.subscribed

  project                    = var.project_id
  name                       = "${var.name}-${each.key}"
  topic                      = local.topics[each.value.topic]
  labels                     = local.labels
  ack_deadline_seconds       = 180
  message_retention_duration = "604800s"

  push_config {
    push_endpoint = google_cloudfunctions2_function.function[each.key].service_config[0].uri
    oidc_token {
      service_account_email = google_service_account.push[each.key].email
      audience              = google_cloudfunctions2_function.function[each.key].service_config[0].uri
    }
  }

  # Longer than a lease of 30 s in all but the first pauses, and over two hours in all: an outage is waited out.
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = "projects/${var.project_id}/topics/${google_pubsub_topic.dead[each.key].name}"
    max_delivery_attempts = 20
  }

  # The default deletes a subscription that was quiet for 31 days.
  expiration_policy {
    ttl = ""
  }

  depends_on = [google_pubsub_topic_iam_member.dead]
}
