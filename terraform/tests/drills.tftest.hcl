# Rehearsals: commanders may write into a source of the drill's own and deploy in its projects; Firebreak gets nothing by it.

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
  commanders      = ["group:oncall@acme.example"]
}

run "without_the_variable_nobody_may_write_a_finding_or_deploy" {
  command = plan

  assert {
    condition     = output.drill == null && length(google_scc_v2_organization_source.drill) + length(google_scc_v2_organization_source_iam_member.drill) + length(google_service_account.canary) + length(google_project_iam_member.drill) == 0
    error_message = "There is something of a drill."
  }
}

run "commanders_may_drill_in_these_projects_alone" {
  command = plan

  variables {
    drill = { projects = ["sandbox-1"] }
  }

  assert {
    condition     = length(google_scc_v2_organization_source.drill) == 1 && [for one in google_scc_v2_organization_source_iam_member.drill : "${one.role} ${one.member}"] == ["roles/securitycenter.findingsEditor group:oncall@acme.example"]
    error_message = "Somebody else may write into the drill's source, or commanders may not."
  }
  assert {
    condition     = [for one in google_project_iam_member.drill : "${one.project} ${one.role} ${one.member}"] == ["sandbox-1 roles/run.developer group:oncall@acme.example"]
    error_message = "Commanders may deploy elsewhere, or not in the drill's project."
  }
  assert {
    condition     = [for one in google_service_account.canary : "${one.project} ${one.account_id}"] == ["sandbox-1 firebreak-drill"]
    error_message = "The canary has no account of its own."
  }
  assert {
    condition     = alltrue([for one in output.grants : !strcontains(one.scope, "sandbox-1")])
    error_message = "Firebreak is granted something by a drill."
  }
}

run "a_source_that_is_there_is_taken" {
  command = plan

  variables {
    drill = { projects = ["sandbox-1"], source = "9999" }
  }

  assert {
    condition     = length(google_scc_v2_organization_source.drill) == 0 && output.drill.source == "organizations/123456789012/sources/9999"
    error_message = "Another source is made."
  }
}

run "projects_are_named_one_by_one" {
  command = plan

  variables {
    drill = { projects = ["*"] }
  }

  expect_failures = [var.drill]
}
