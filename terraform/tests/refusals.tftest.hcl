# What is refused before anything is made: each of the variables named in expect_failures, for the value given.

mock_provider "google" {}
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

run "more_than_monitoring_with_nowhere_to_contain_and_everybody_in_command" {
  command = plan
  variables {
    ceiling                 = "enforce"
    act_as_service_accounts = ["projects/shop-prod/serviceAccounts/checkout@shop-prod.iam.gserviceaccount.com"]
    disable_accounts_in     = ["folders/7001"]
    commanders              = ["allAuthenticatedUsers"]
    secret_versions         = { virustotal_api_key = "not-a-version-but-a-key" }
    runtime                 = "python310"
    alert_email             = null
  }
  expect_failures = [var.ceiling, var.act_as_service_accounts, var.disable_accounts_in, var.commanders, var.secret_versions, var.runtime, var.alert_email]
}

run "misspelt_values_a_whole_domain_in_command_and_no_archive" {
  command = plan
  variables {
    contain_targets         = ["folders/7001"]
    act_as_service_accounts = ["checkout@shop-prod.iam.gserviceaccount.com"]
    disable_accounts_in     = ["checkout@shop-prod.iam.gserviceaccount.com"]
    ceiling                 = "Enforce"
    commanders              = ["domain:acme.example"]
    read_targets            = ["7001"]
    source_archive          = "tests/fixtures/missing.zip"
    finding_locations       = ["global", "mars"]
    runbook_url             = "docs/operations.md"
    withhold                = ["run.services.updates"]
  }
  expect_failures = [var.act_as_service_accounts, var.disable_accounts_in, var.ceiling, var.commanders, var.read_targets, var.source_archive, var.finding_locations, var.runbook_url, var.withhold]
}

run "another_organization" {
  command = plan
  variables {
    contain_targets = ["organizations/999999999999"]
  }
  expect_failures = [var.contain_targets]
}

run "firebreaks_own_project" {
  command = plan
  variables {
    contain_targets = ["projects/acme-firebreak"]
  }
  expect_failures = [var.contain_targets]
}

run "a_folder_by_its_bare_number" {
  command = plan
  variables {
    contain_targets = ["7001"]
  }
  expect_failures = [var.contain_targets]
}

run "an_archive_that_would_turn_every_finding_of_this_organization_away" {
  command = plan
  variables {
    organization_id = "999999999999"
  }
  expect_failures = [google_storage_bucket_object.source]
}

run "accounts_of_its_own_project" {
  command = plan
  variables {
    contain_targets     = ["folders/7001"]
    disable_accounts_in = ["projects/acme-firebreak/serviceAccounts/firebreak-on-command@acme-firebreak.iam.gserviceaccount.com"]
  }
  expect_failures = [var.disable_accounts_in]
}

run "containment_of_what_may_not_be_read" {
  command = plan
  variables {
    contain_targets = ["folders/7001"]
    read_targets    = ["folders/7002"]
  }
  expect_failures = [var.read_targets]
}

run "a_key_of_another_region_a_misspelt_pool_and_an_action_that_there_is_not" {
  command = plan
  variables {
    kms_key           = "projects/acme-keys/locations/europe-west4/keyRings/r/cryptoKeys/k"
    build_worker_pool = "private"
    extra_actions     = ["cut_trafic"]
  }
  expect_failures = [var.kms_key, var.build_worker_pool, var.extra_actions]
}

run "a_ledger_where_its_key_is_not" {
  command = plan
  variables {
    kms_key            = "projects/acme-keys/locations/europe-west1/keyRings/r/cryptoKeys/k"
    firestore_location = "eur3"
  }
  expect_failures = [var.kms_key]
}

# Not refused, but said: a target that no packaged policy could contain, and accounts that none could disable.
run "reach_that_grants_nothing" {
  command = plan
  variables {
    contain_targets     = ["folders/7001"]
    disable_accounts_in = ["folders/7001"]
    withhold = [
      "iam.serviceAccounts.disable", "iam.serviceAccounts.enable", "run.executions.cancel", "run.jobs.setIamPolicy",
      "run.services.create", "run.services.setIamPolicy", "run.services.update", "run.workerpools.update",
    ]
  }
  expect_failures = [check.actions]
}
