# What Firebreak may touch follows from variables, and from nothing else.

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

run "by_default_it_only_reads" {
  command = plan

  assert {
    condition     = output.monitor_only
    error_message = "No contain_targets, and yet not monitor only."
  }
  # roles are there whatever the variables say, because a deleted one's name is locked; nobody is bound to those that write
  assert {
    condition     = toset(keys(google_organization_iam_custom_role.role)) == toset(["findings", "read", "marks", "contain", "act_as", "accounts"]) && alltrue([for one in google_organization_iam_custom_role.role : one.stage == "GA"])
    error_message = "A role comes and goes with a variable."
  }
  assert {
    condition     = toset([for one in google_organization_iam_member.grant : one.role]) == toset(["organizations/123456789012/roles/firebreak_findings", "organizations/123456789012/roles/firebreak_read"]) && length(google_folder_iam_member.grant) + length(google_project_iam_member.grant) + length(google_service_account_iam_member.grant) == 0
    error_message = "Monitor only binds roles beyond reading."
  }
  assert {
    condition     = alltrue([for one in output.grants : one.scope == "organizations/123456789012"])
    error_message = "Reading is granted elsewhere than on the organization."
  }
  assert {
    condition = alltrue(flatten([for one in output.grants : [
      for permission in one.permissions : can(regex("\\.(get|list|getIamPolicy|group)$", permission))
    ]]))
    error_message = "Monitor only can write."
  }
  assert {
    condition     = alltrue([for one in google_cloudfunctions2_function.function : one.service_config[0].environment_variables.FIREBREAK_CEILING == "monitor"])
    error_message = "The ceiling is not monitor by default."
  }

  # without marks nothing is granted or switched on
  assert {
    condition     = alltrue([for one in output.grants : !contains(one.permissions, "securitycenter.findingsecuritymarks.update")]) && alltrue([for one in google_cloudfunctions2_function.function : one.service_config[0].environment_variables.FIREBREAK_SCC_MARKS == "off"])
    error_message = "Marks without write_marks."
  }

  # nobody but the scheduler commands unless named
  assert {
    condition     = google_pubsub_topic_iam_binding.commands.members == toset(["serviceAccount:service-111122223333@gcp-sa-cloudscheduler.iam.gserviceaccount.com"])
    error_message = "Somebody else may publish commands."
  }
  assert {
    condition     = length(google_project_iam_member.commander_reads) == 0
    error_message = "Somebody may read the ledger."
  }
}

run "containment_is_granted_on_its_targets_alone_and_each_other_reach_by_its_own_variable" {
  command = plan

  variables {
    contain_targets = ["folders/7001", "projects/shop-prod"]
    write_marks     = true
    commanders      = ["group:oncall@acme.example"]
    secret_versions = { virustotal_api_key = "3" }

    notify_secret_versions = { soc_slack = "latest", later = null }
    vpc                    = { network = "egress", subnetwork = "firebreak" }
  }

  # containment is granted on its targets alone
  assert {
    condition     = toset([for one in output.grants : one.scope if contains(one.permissions, "run.services.update")]) == toset(["folders/7001", "projects/shop-prod"])
    error_message = "run.services.update is not granted on exactly the contain_targets."
  }
  assert {
    condition     = toset([for one in output.grants : one.scope if contains(one.permissions, "iam.serviceAccounts.actAs")]) == toset(["folders/7001", "projects/shop-prod"])
    error_message = "actAs is not granted on exactly the contain_targets."
  }
  assert {
    condition     = alltrue([for one in output.grants : !contains(one.permissions, "iam.serviceAccounts.disable")])
    error_message = "Service accounts may be disabled without anybody saying where."
  }
  assert {
    condition     = length(google_folder_iam_member.grant) == 4 && length(google_project_iam_member.grant) == 4
    error_message = "Two functions, two roles and one target of each kind make four bindings of each kind."
  }

  # marks come with their setting or not at all
  assert {
    condition     = google_organization_iam_custom_role.role["marks"].permissions == toset(["securitycenter.findingsecuritymarks.update"])
    error_message = "The marks role holds something else than marking."
  }
  assert {
    condition     = alltrue([for one in google_cloudfunctions2_function.function : one.service_config[0].environment_variables.FIREBREAK_SCC_MARKS == "on"])
    error_message = "Marking is granted and not switched on."
  }

  # commanders publish commands, and read ledger and evidence
  assert {
    condition     = contains(google_pubsub_topic_iam_binding.commands.members, "group:oncall@acme.example")
    error_message = "A commander may not command."
  }
  assert {
    condition     = alltrue([for one in google_project_iam_member.commander_reads : one.role == "roles/datastore.viewer" && one.condition[0].expression == "resource.name == \"projects/acme-firebreak/databases/firebreak-ledger\""])
    error_message = "A commander reads more than the ledger."
  }
  assert {
    condition     = alltrue([for one in google_storage_bucket_iam_member.commander_reads : one.role == "roles/storage.objectViewer" && one.bucket == "acme-firebreak-firebreak-evidence"])
    error_message = "A commander does more than read evidence."
  }

  # secrets are read only once they are used
  assert {
    condition     = toset([for one in google_secret_manager_secret_iam_member.reads : one.secret_id]) == toset(["firebreak-seal-key", "firebreak-virustotal-api-key", "firebreak-notify-soc-slack"])
    error_message = "A secret without a use may be read, or a used one may not."
  }
  assert {
    condition = alltrue([for one in google_cloudfunctions2_function.function : {
      for secret in one.service_config[0].secret_environment_variables : secret.key => secret.version
    } == { FIREBREAK_SEAL_KEY = "latest", VIRUSTOTAL_API_KEY = "3", FIREBREAK_NOTIFY_SOC_SLACK = "latest" }])
    error_message = "The functions do not get the secrets in the versions that are named."
  }

  # egress goes through the network that is named
  assert {
    condition     = alltrue([for one in google_cloudfunctions2_function.function : one.service_config[0].direct_vpc_egress == "VPC_EGRESS_ALL_TRAFFIC" && one.service_config[0].direct_vpc_network_interface[0].subnetwork == "firebreak"])
    error_message = "Egress does not all go through the network."
  }
}

run "reading_and_acting_as_can_be_narrowed" {
  command = plan

  variables {
    read_targets            = ["folders/7001", "projects/shop-prod"]
    withhold                = ["run.revisions.list", "securitycenter.findingsecuritymarks.update"]
    write_marks             = true
    contain_targets         = ["folders/7001"]
    act_as_service_accounts = ["projects/shop-prod/serviceAccounts/checkout@shop-prod.iam.gserviceaccount.com"]
  }

  # reading can be narrowed and findings stay the organizations
  assert {
    condition     = alltrue([for role in google_organization_iam_custom_role.role : !contains(role.permissions, "run.revisions.list")])
    error_message = "A permission that is withheld is granted."
  }
  # a role of which everything is withheld cannot be empty, and keeps its name
  assert {
    condition     = google_organization_iam_custom_role.role["marks"].stage == "DISABLED" && google_organization_iam_custom_role.role["read"].stage == "GA" && alltrue([for one in output.grants : length(one.permissions) > 0 && !contains(one.permissions, "securitycenter.findingsecuritymarks.update")])
    error_message = "A role of which everything is withheld is granted, or gone."
  }

  assert {
    condition     = toset([for one in output.grants : one.scope if contains(one.permissions, "run.services.get")]) == toset(["folders/7001", "projects/shop-prod"])
    error_message = "Workloads are read elsewhere than on read_targets."
  }
  assert {
    condition     = toset([for one in output.grants : one.scope if contains(one.permissions, "securitycenter.findings.list")]) == toset(["organizations/123456789012"])
    error_message = "Findings are not read on the organization."
  }

  # acting as can be narrowed to single accounts
  assert {
    condition     = [for one in google_service_account_iam_member.grant : one.service_account_id] == ["projects/shop-prod/serviceAccounts/checkout@shop-prod.iam.gserviceaccount.com", "projects/shop-prod/serviceAccounts/checkout@shop-prod.iam.gserviceaccount.com"]
    error_message = "actAs is not bound on the account that is named."
  }
  assert {
    condition     = alltrue([for one in output.grants : !contains(one.permissions, "iam.serviceAccounts.actAs") if startswith(one.scope, "folders/")])
    error_message = "actAs is granted on more than the accounts that are named."
  }
}

run "disabling_accounts_is_granted_where_it_is_named_and_nowhere_else" {
  command = plan

  variables {
    contain_targets     = ["folders/7001"]
    disable_accounts_in = ["projects/shop-prod/serviceAccounts/checkout@shop-prod.iam.gserviceaccount.com", "folders/7002"]
  }

  assert {
    condition     = google_organization_iam_custom_role.role["accounts"].permissions == toset(["iam.serviceAccounts.disable", "iam.serviceAccounts.enable"])
    error_message = "The accounts role holds something else than disabling and enabling."
  }
  assert {
    condition     = toset([for one in output.grants : one.scope if contains(one.permissions, "iam.serviceAccounts.disable")]) == toset(["projects/shop-prod/serviceAccounts/checkout@shop-prod.iam.gserviceaccount.com", "folders/7002"])
    error_message = "Accounts may be disabled elsewhere than in disable_accounts_in."
  }
}
