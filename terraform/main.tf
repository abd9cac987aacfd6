data "google_project" "this" {
  project_id = var.project_id
}

locals {
  # What `make package` says about the archive, and what `make generate` says about the code.
  manifest = jsondecode(file(replace(var.source_archive, "/\\.zip$/", ".json")))
  # Of what changes something, only what an action declares that a packaged policy carries out.
  actions = setunion(local.manifest.actions, var.extra_actions)
  permissions = { for role, one in jsondecode(file("${path.module}/permissions.json")) : role => {
    purpose  = one.for
    declared = keys(one.permissions)
    permissions = setsubtract([for permission, places in one.permissions : permission if(
      !contains(["contain", "act_as", "accounts"], role) ||
      length(setintersection(places, [for action in local.actions : "responders/${action}.py"])) > 0
    )], var.withhold)
  } }

  project_number = data.google_project.this.number
  labels         = merge({ app = var.name }, var.labels)

  # The one place where functions are listed. Identity, invoker, subscription, dead letters, environment and grants
  # follow. One with `topic = null` gets no subscription; `environment` is what it gets beside the others. `uses` names
  # what it may do:
  #   findings, marks    read and mark findings           contain     change workloads, act as and disable their identities
  #   read               read workloads                   incidents   publish records
  #   ledger, vault      Firebreak's database, evidence   unreadable  publish what cannot be read
  #   commands           send commands to on-command      secrets     seal key, VirusTotal key, webhooks
  functions = {
    on-finding = {
      entry_point   = "on_finding"
      about         = "answers findings"
      topic         = "findings"
      min_instances = var.min_instances
      uses          = local.everything
    }
    on-command = {
      entry_point   = "on_command"
      about         = "carries out commands of people and of the sweep"
      topic         = "commands"
      min_instances = 0
      uses          = local.everything
    }
  }
  everything = ["findings", "read", "marks", "contain", "ledger", "vault", "incidents", "unreadable", "secrets"]

  # The names that Pub/Sub will give them, so that a plan shows them.
  topics = { for key, one in {
    findings   = google_pubsub_topic.findings
    commands   = google_pubsub_topic.commands
    incidents  = google_pubsub_topic.incidents
    unreadable = google_pubsub_topic.unreadable
  } : key => "projects/${var.project_id}/topics/${one.name}" }

  subscribed = { for name, one in local.functions : name => one if one.topic != null }
  using = { for use in concat(local.everything, ["commands"]) : use => toset([
    for name, one in local.functions : name if contains(one.uses, use)
  ]) }
}

resource "google_project_service" "api" {
  for_each = setunion(var.kms_key == null ? [] : ["cloudkms.googleapis.com", "eventarc.googleapis.com"], [
    "artifactregistry.googleapis.com",
    "bigquery.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "securitycenter.googleapis.com",
    "storage.googleapis.com",
  ])

  project = var.project_id
  service = each.key
  # Other things in the project may rely on it by the time Firebreak goes.
  disable_on_destroy = false
}

# An API that was just enabled says for a moment that it is disabled; a first apply waits instead of failing on it.
resource "time_sleep" "apis" {
  create_duration = "60s"
  triggers        = { apis = join(" ", sort([for one in google_project_service.api : one.service])) }
}

# Without this the agents of a new project do not exist yet when they are granted something.
resource "google_project_service_identity" "agent" {
  provider = google-beta
  for_each = setunion(["pubsub.googleapis.com", "cloudscheduler.googleapis.com"], values(local.agent))

  project = var.project_id
  service = each.key

  depends_on = [time_sleep.apis]
}

# Nor right after: a grant to an agent that was made a second ago is refused, because it "does not exist".
resource "time_sleep" "agents" {
  create_duration = "60s"
  triggers        = { agents = join(" ", sort([for one in google_project_service_identity.agent : one.service])) }
}

locals {
  pubsub_agent    = "serviceAccount:service-${local.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  scheduler_agent = "serviceAccount:service-${local.project_number}@gcp-sa-cloudscheduler.iam.gserviceaccount.com"
}
