# What arrives, how it is delivered, what is kept.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "111122223333" }
  }
}
mock_provider "google-beta" {}
mock_provider "time" {}

variables {
  organization_id = "123456789012"
  project_id      = "acme-firebreak"
  region          = "europe-west1"
  source_archive  = "tests/fixtures/firebreak.zip"
  alert_email     = "oncall@acme.example"
  runbook_url     = "https://wiki.acme.example/firebreak"
}

run "by_default" {
  command = plan

  assert {
    condition     = [for one in google_scc_v2_organization_notification_config.findings : one.location] == ["global"]
    error_message = "Without data residency there is one location, global."
  }

  # security command center publishes as a member
  assert {
    condition     = google_pubsub_topic_iam_member.scc_publishes[0].member == "serviceAccount:service-org-123456789012@gcp-sa-scc-notification.iam.gserviceaccount.com" && google_pubsub_topic_iam_member.scc_publishes[0].role == "roles/pubsub.publisher"
    error_message = "Not Security Command Center's account, or another role."
  }

  # every delivery is retried then kept
  assert {
    condition = alltrue([for one in google_pubsub_subscription.push :
      one.ack_deadline_seconds == 180 &&
      one.message_retention_duration == "604800s" &&
      one.expiration_policy[0].ttl == "" &&
      one.retry_policy[0].minimum_backoff == "10s" &&
      one.retry_policy[0].maximum_backoff == "600s" &&
      one.dead_letter_policy[0].max_delivery_attempts == 20
    ])
    error_message = "A push subscription has other clocks than docs/reliability.md."
  }
  assert {
    condition     = alltrue([for one in google_cloudfunctions2_function.function : one.service_config[0].timeout_seconds == 150])
    error_message = "A function outlives its acknowledgement deadline, or dies before its budget."
  }
  assert {
    condition     = toset(keys(google_pubsub_subscription.dead)) == toset(["on-command", "on-finding", "records", "unreadable"])
    error_message = "Some dead letters are kept by nobody."
  }
  assert {
    condition     = alltrue([for one in google_pubsub_subscription.dead : one.message_retention_duration == "2678400s" && one.expiration_policy[0].ttl == ""])
    error_message = "Dead letters go before anybody has looked."
  }
  assert {
    condition     = alltrue([for one in google_pubsub_topic_iam_member.dead : one.member == "serviceAccount:service-111122223333@gcp-sa-pubsub.iam.gserviceaccount.com"]) && length(google_pubsub_topic_iam_member.dead) == 3 && length(google_pubsub_subscription_iam_member.dead) == 3
    error_message = "Pub/Sub may not move dead letters."
  }

  # functions are called by their own subscription alone
  assert {
    condition     = alltrue([for one in google_cloudfunctions2_function.function : one.service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY" && length(one.event_trigger) == 0])
    error_message = "A function can be reached from outside the project, or has a trigger of Eventarc's."
  }
  assert {
    condition     = toset(keys(google_cloud_run_v2_service_iam_member.push)) == toset(["on-command", "on-finding"]) && alltrue([for one in google_cloud_run_v2_service_iam_member.push : one.role == "roles/run.invoker"])
    error_message = "A function is called by more, or less, than its subscription."
  }

  # firebreak knows itself by both spellings of its project
  assert {
    condition = google_cloudfunctions2_function.function["on-finding"].service_config[0].environment_variables.FIREBREAK_SELF == join(",", [
      "//run.googleapis.com/projects/acme-firebreak/locations/europe-west1/services/firebreak-on-command",
      "//run.googleapis.com/projects/111122223333/locations/europe-west1/services/firebreak-on-command",
      "//run.googleapis.com/projects/acme-firebreak/locations/europe-west1/services/firebreak-on-finding",
      "//run.googleapis.com/projects/111122223333/locations/europe-west1/services/firebreak-on-finding",
    ])
    error_message = "Firebreak could be led to contain itself."
  }

  # evidence can neither be deleted nor overwritten
  assert {
    condition     = google_storage_bucket.evidence.retention_policy[0].retention_period == "31536000" && !google_storage_bucket.evidence.retention_policy[0].is_locked
    error_message = "A year of retention, unlocked, is the default."
  }
  assert {
    condition     = google_storage_bucket.evidence.uniform_bucket_level_access && google_storage_bucket.evidence.public_access_prevention == "enforced" && !google_storage_bucket.evidence.force_destroy
    error_message = "The evidence bucket is not closed."
  }

  # what the undo needs is protected until asked otherwise
  assert {
    condition     = google_firestore_database.ledger.delete_protection_state == "DELETE_PROTECTION_ENABLED" && google_firestore_database.ledger.deletion_policy == "ABANDON" && google_firestore_database.ledger.type == "FIRESTORE_NATIVE" && google_bigquery_table.messages.deletion_protection && alltrue([for one in google_secret_manager_secret.secret : one.deletion_protection])
    error_message = "Ledger, records or keys would go with a destroy."
  }
}

run "as_its_variables_ask" {
  command = plan

  variables {
    extra_categories        = ["Say \"when\""]
    narrow_filter           = "resource_name : \"//run.googleapis.com/\""
    evidence_retention_days = 30
    lock_evidence_retention = true
    delete_protection       = false
    runtime                 = "python314"
    alert_email             = null
    notification_channels   = ["projects/acme-firebreak/notificationChannels/1"]
  }

  # findings that a policy could match arrive and no others
  assert {
    condition     = output.finding_filter == "state = \"ACTIVE\" AND NOT mute = \"MUTED\" AND (category = \"Execution: Added Malicious Binary Executed\" OR category = \"Reverse Shell\" OR category = \"Say \\\"when\\\"\") AND (resource_name : \"//run.googleapis.com/\")"
    error_message = "The filter is ${output.finding_filter}"
  }

  # retention is locked where that is asked for
  assert {
    condition     = google_storage_bucket.evidence.retention_policy[0].retention_period == "2592000" && google_storage_bucket.evidence.retention_policy[0].is_locked
    error_message = "The retention is not as asked for."
  }

  # protection is taken away on purpose
  assert {
    condition     = google_firestore_database.ledger.delete_protection_state == "DELETE_PROTECTION_DISABLED" && !google_bigquery_table.messages.deletion_protection
    error_message = "delete_protection does not take protection away."
  }

  # somebody hears every alert and finds its runbook
  assert {
    condition = alltrue([for one in concat(values(google_monitoring_alert_policy.log), values(google_monitoring_alert_policy.metric), [google_monitoring_alert_policy.no_sweep]) :
      one.notification_channels == tolist(["projects/acme-firebreak/notificationChannels/1"]) &&
      endswith(one.documentation[0].content, "Runbook: https://wiki.acme.example/firebreak#${trimprefix(one.display_name, "firebreak: ")}")
    ])
    error_message = "An alert goes to nobody, or does not name its runbook."
  }
}

run "under_data_residency" {
  command = plan

  variables {
    finding_locations = ["eu", "global"]
    extra_categories  = ["It's here"]
  }

  # said in the plan, and not refused: a line for each location waits for a person
  expect_failures = [check.deliveries]

  assert {
    condition     = [for one in google_scc_v2_organization_notification_config.findings : one.location] == ["global"]
    error_message = "Terraform makes a configuration that it cannot reach."
  }
  assert {
    condition     = keys(output.regional_deliveries) == ["eu"] && startswith(output.regional_deliveries.eu, "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECURITYCENTER=https://securitycenter.eu.rep.googleapis.com/ gcloud scc notifications create firebreak-findings --organization=123456789012 --location=eu --pubsub-topic=projects/acme-firebreak/topics/firebreak-findings --filter='state") && strcontains(output.regional_deliveries.eu, "It'\\''s here")
    error_message = "The line is ${output.regional_deliveries.eu}"
  }
  assert {
    condition     = google_cloudfunctions2_function.function["on-finding"].service_config[0].environment_variables.FIREBREAK_SCC_LOCATIONS == "eu,global"
    error_message = "The functions do not ask where findings are kept."
  }
}

run "in_a_region_alone" {
  command = plan

  variables {
    finding_locations = ["sa"]
  }

  expect_failures = [check.deliveries]

  assert {
    condition     = length(google_scc_v2_organization_notification_config.findings) == 0 && length(google_pubsub_topic_iam_member.scc_publishes) == 0
    error_message = "An account is granted something before the configuration that makes it."
  }
}
