locals {
  categories = sort(setunion(local.manifest.categories, var.extra_categories))

  # Quotes and backslashes would end the text; OR binds tighter than AND here. A policy that names no category could also
  # match what a detector of tomorrow finds on Cloud Run: the archive says of which classes.
  finding_filter = join(" AND ", compact([
    "state = \"ACTIVE\"",
    "NOT mute = \"MUTED\"",
    "(${join(" OR ", concat(
      [for one in local.categories : "category = \"${replace(replace(one, "\\", "\\\\"), "\"", "\\\"")}\""],
      [for one in local.manifest.classes : "(finding_class = \"${one}\" AND resource_name : \"//run.googleapis.com/\")"],
    ))})",
    var.narrow_filter == "" ? "" : "(${var.narrow_filter})",
  ]))

  # Under data residency a configuration is made at its location's own endpoint, where Google does not support Terraform
  # (https://cloud.google.com/security-command-center/docs/data-residency-support): these lines, each in one piece whatever the filter says.
  regional_deliveries = { for location in setsubtract(var.finding_locations, ["global"]) : location => join(" ", [
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECURITYCENTER=https://securitycenter.${location}.rep.googleapis.com/",
    "gcloud scc notifications create ${var.name}-findings",
    "--organization=${var.organization_id} --location=${location} --pubsub-topic=${local.topics.findings}",
    "--filter='${replace(local.finding_filter, "'", "'\\''")}'",
  ]) }

  scc_publisher = "serviceAccount:service-org-${var.organization_id}@gcp-sa-scc-notification.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "findings" {
  project                    = var.project_id
  name                       = "${var.name}-findings"
  kms_key_name               = var.kms_key
  labels                     = local.labels
  message_retention_duration = "604800s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [time_sleep.key]
}

check "deliveries" {
  assert {
    condition     = length(local.regional_deliveries) == 0
    error_message = "Findings of ${join(", ", keys(local.regional_deliveries))} are delivered only once you have run the lines of the output regional_deliveries; until then only the sweep finds them."
  }
}

# Each location of Security Command Center delivers its own findings, and is silent about all others.
resource "google_scc_v2_organization_notification_config" "findings" {
  for_each = setintersection(var.finding_locations, ["global"])

  organization = var.organization_id
  location     = each.key
  config_id    = "${var.name}-findings"
  description  = "To Firebreak: findings that a policy could match. Made by Terraform."
  pubsub_topic = local.topics.findings

  streaming_config {
    filter = local.finding_filter
  }
}

# A member and never a binding: Security Command Center grants itself a role here when the configuration is made, and a
# binding would take that away on every apply. A minute after the configuration, because the account exists only from then
# on. (From 8.0 on the provider has a resource that makes it; a configuration that names it would not load with 7.)
resource "time_sleep" "scc_publisher" {
  create_duration = "60s"
  triggers        = { locations = join(" ", sort([for one in google_scc_v2_organization_notification_config.findings : one.location])) }
}

resource "google_pubsub_topic_iam_member" "scc_publishes" {
  # A configuration that is made by hand grants it itself.
  count = contains(var.finding_locations, "global") ? 1 : 0

  project = var.project_id
  topic   = google_pubsub_topic.findings.name
  role    = "roles/pubsub.publisher"
  member  = local.scc_publisher

  depends_on = [time_sleep.scc_publisher]
}

resource "google_pubsub_topic" "commands" {
  project                    = var.project_id
  name                       = "${var.name}-commands"
  kms_key_name               = var.kms_key
  labels                     = local.labels
  message_retention_duration = "604800s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [time_sleep.key]
}

# A binding here, and on purpose: whoever else is given this role on the topic loses it with the next apply.
resource "google_pubsub_topic_iam_binding" "commands" {
  project = var.project_id
  topic   = google_pubsub_topic.commands.name
  role    = "roles/pubsub.publisher"
  members = setunion([local.scheduler_agent], var.commanders, [for name in local.using.commands : google_service_account.function[name].member])

  depends_on = [time_sleep.agents]
}

resource "google_cloud_scheduler_job" "sweep" {
  project     = var.project_id
  region      = var.region
  name        = "${var.name}-sweep"
  description = "Has Firebreak look at reviews, expired questions, drift, and unfinished, unsent and missed work."
  schedule    = var.sweep_schedule
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = local.topics.commands
    data       = base64encode(jsonencode({ command = "sweep" }))
  }

  depends_on = [google_pubsub_topic_iam_binding.commands]
}

# What could not be delivered in 20 attempts ends here, one topic for each subscription, and waits for a person.
resource "google_pubsub_topic" "dead" {
  for_each = local.dead_letters

  project                    = var.project_id
  name                       = "${var.name}-${each.key}-dead"
  kms_key_name               = var.kms_key
  labels                     = local.labels
  message_retention_duration = "2678400s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [time_sleep.key]
}

resource "google_pubsub_subscription" "dead" {
  for_each = merge({ for name, one in google_pubsub_topic.dead : name => "projects/${var.project_id}/topics/${one.name}" }, { unreadable = local.topics.unreadable })

  project                    = var.project_id
  name                       = "${var.name}-${each.key}-kept"
  topic                      = each.value
  labels                     = local.labels
  ack_deadline_seconds       = 600
  message_retention_duration = "2678400s" # 31 days, the most there is

  expiration_policy {
    ttl = ""
  }
}

# Messages that are no findings at all; Firebreak itself puts them here, whole.
resource "google_pubsub_topic" "unreadable" {
  project                    = var.project_id
  name                       = "${var.name}-unreadable"
  kms_key_name               = var.kms_key
  labels                     = local.labels
  message_retention_duration = "2678400s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [time_sleep.key]
}

locals {
  # By whose messages they hold: one for each pushed subscription, and that of the records.
  dead_letters = setunion(keys(local.subscribed), ["records"])
  dead_letter_sources = merge(
    { for name, one in google_pubsub_subscription.push : name => one.name },
    { records = google_pubsub_subscription.records.name },
  )
}

# Pub/Sub's own agent moves dead letters: it publishes to the one and acknowledges on the other.
resource "google_pubsub_topic_iam_member" "dead" {
  for_each = local.dead_letters

  project = var.project_id
  topic   = google_pubsub_topic.dead[each.key].name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent

  depends_on = [time_sleep.agents]
}

resource "google_pubsub_subscription_iam_member" "dead" {
  for_each = local.dead_letters

  project      = var.project_id
  subscription = local.dead_letter_sources[each.key]
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent

  depends_on = [time_sleep.agents]
}
