output "monitor_only" {
  description = "Whether Firebreak has no permission to change any workload."
  value       = local.monitor_only
}

output "identities" {
  description = "The service account of each function: what it may do is in the grants output."
  value       = { for name, one in google_service_account.function : name => one.email }
}

output "grants" {
  description = "All that Firebreak may do outside its own project: identity, role, where, and the role's permissions."
  value = { for name, one in local.grants : name => {
    identity    = google_service_account.function[one.function].email
    scope       = one.scope
    permissions = local.permissions[one.role].permissions
  } }
}

output "finding_filter" {
  description = "Which findings Security Command Center delivers."
  value       = local.finding_filter
}

output "command_line" {
  description = "Environment of the firebreak command for people named in commanders."
  value = {
    FIREBREAK_LEDGER         = local.environment.FIREBREAK_LEDGER
    FIREBREAK_COMMANDS_TOPIC = local.topics.commands
    FIREBREAK_EVIDENCE       = local.environment.FIREBREAK_EVIDENCE
  }
}

output "deployment" {
  description = "What is deployed, by full names, and what it should be like."
  value = {
    organization = var.organization_id
    project      = var.project_id
    region       = var.region
    name         = var.name
    ceiling      = var.ceiling
    package      = { for key in ["version", "sha256", "contents", "policy_set", "ceiling", "categories", "classes"] : key => local.manifest[key] }
    apis         = sort([for one in google_project_service.api : one.service])
    functions = { for name, one in local.functions : name => {
      name    = "projects/${var.project_id}/locations/${var.region}/functions/${var.name}-${name}"
      account = google_service_account.function[name].email
    } }
    subscriptions = { for name, one in local.subscribed : name => {
      name        = "projects/${var.project_id}/subscriptions/${google_pubsub_subscription.push[name].name}"
      topic       = local.topics[one.topic]
      dead_letter = "projects/${var.project_id}/topics/${google_pubsub_topic.dead[name].name}"
    } }
    topics = local.topics
    kept   = { for name, one in google_pubsub_subscription.dead : name => one.name }
    deliveries = { for location in var.finding_locations : location =>
      "${local.organization}/locations/${location}/notificationConfigs/${var.name}-findings"
    }
    filter    = local.finding_filter
    database  = "projects/${var.project_id}/databases/${google_firestore_database.ledger.name}"
    bucket    = google_storage_bucket.evidence.name
    retention = var.evidence_retention_days * 86400
    secrets = { for name, one in local.secrets_in_use : one.variable =>
      "projects/${var.project_id}/secrets/${google_secret_manager_secret.secret[name].secret_id}/versions/${one.version}"
    }
    sweep = "projects/${var.project_id}/locations/${var.region}/jobs/${google_cloud_scheduler_job.sweep.name}"
    # Within Firebreak's own project: what grants lists is outside.
    bindings = concat(
      [for name in local.using.ledger : {
        member = google_service_account.function[name].member
        role   = "projects/${var.project_id}/roles/${google_project_iam_custom_role.own["ledger"].role_id}"
        on     = "//cloudresourcemanager.googleapis.com/projects/${var.project_id}"
      }],
      [for name in local.using.vault : {
        member = google_service_account.function[name].member
        role   = "projects/${var.project_id}/roles/${google_project_iam_custom_role.own["vault"].role_id}"
        on     = "//storage.googleapis.com/${google_storage_bucket.evidence.name}"
      }],
      flatten([for key in ["incidents", "unreadable"] : [for name in local.using[key] : {
        member = google_service_account.function[name].member
        role   = "roles/pubsub.publisher"
        on     = "//pubsub.googleapis.com/${local.topics[key]}"
      }]]),
      [for pair in setproduct(local.using.secrets, keys(local.secrets_in_use)) : {
        member = google_service_account.function[pair[0]].member
        role   = "roles/secretmanager.secretAccessor"
        on     = "//secretmanager.googleapis.com/projects/${var.project_id}/secrets/${google_secret_manager_secret.secret[pair[1]].secret_id}"
      }],
      [for name in keys(local.subscribed) : {
        member = google_service_account.push[name].member
        role   = "roles/run.invoker"
        on     = "//run.googleapis.com/projects/${var.project_id}/locations/${var.region}/services/${var.name}-${name}"
      }],
      [for name in local.dead_letters : {
        member = local.pubsub_agent
        role   = "roles/pubsub.publisher"
        on     = "//pubsub.googleapis.com/projects/${var.project_id}/topics/${google_pubsub_topic.dead[name].name}"
      }],
      [for name, one in local.dead_letter_sources : {
        member = local.pubsub_agent
        role   = "roles/pubsub.subscriber"
        on     = "//pubsub.googleapis.com/projects/${var.project_id}/subscriptions/${one}"
      }],
      [for member in google_pubsub_topic_iam_binding.commands.members : {
        member = member
        role   = "roles/pubsub.publisher"
        on     = "//pubsub.googleapis.com/${local.topics.commands}"
      }],
      contains(var.finding_locations, "global") ? [{
        member = local.scc_publisher
        role   = "roles/pubsub.publisher"
        on     = "//pubsub.googleapis.com/${local.topics.findings}"
      }] : [],
    )
    grants = [for one in local.grants : {
      identity    = google_service_account.function[one.function].email
      scope       = one.scope
      permissions = sort(local.permissions[one.role].permissions)
    }]
  }
}

output "drill" {
  description = "What firebreak drill needs: the source's name, whose last part firebreak.yaml names, the projects, and the account that a canary runs as in each."
  value = var.drill == null ? null : {
    source   = local.drill_source
    projects = sort(local.drill_projects)
    accounts = { for project, one in google_service_account.canary : project => one.email }
  }
}

output "topics" {
  description = "Full names of the topics."
  value       = local.topics
}

output "dead_letters" {
  description = "Subscriptions that keep what could not be delivered or read, by where it comes from."
  value       = { for name, one in google_pubsub_subscription.dead : name => one.name }
}

output "function_builder" {
  description = "Google's agent that builds functions: grant it the use of a build_worker_pool in another project."
  value       = "serviceAccount:service-${local.project_number}@gcf-admin-robot.iam.gserviceaccount.com"
}

locals {
  network = var.vpc == null ? null : try(
    regex("projects/[^/]+/global/networks/[^/]+", var.vpc.network), "projects/${var.project_id}/global/networks/${var.vpc.network}",
  )
}

output "perimeter_ingress" {
  description = "Ingress rule for a VPC Service Controls perimeter around what Firebreak reads and contains, as a file in the form in which docs/deploy.md sets it."
  value = yamlencode([{
    ingressFrom = {
      identities = sort([for one in google_service_account.function : one.member])
      # Only calls that leave through a network come from somewhere: without one, it is the identity that lets them in.
      sources = [{ (local.network == null ? "accessLevel" : "resource") = local.network == null ? "*" : "//compute.googleapis.com/${local.network}" }]
    }
    ingressTo = {
      operations = [for service in ["iam.googleapis.com", "logging.googleapis.com", "run.googleapis.com"] : {
        serviceName     = service
        methodSelectors = [{ method = "*" }]
      }]
      resources = ["*"]
    }
  }])
}

output "regional_deliveries" {
  description = "For each location of data residency, the line that has its findings delivered: Terraform cannot."
  value       = local.regional_deliveries
}

output "secrets" {
  description = "Names of the secrets that wait for a version (docs/deploy.md)."
  value       = { for name, one in google_secret_manager_secret.secret : name => one.secret_id }
}

output "records" {
  description = "BigQuery view with one row for each incident."
  value       = "${local.records}.${google_bigquery_table.incidents.table_id}"
}

output "evidence" {
  description = "The evidence bucket."
  value       = "gs://${google_storage_bucket.evidence.name}"
}
