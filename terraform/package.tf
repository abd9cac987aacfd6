resource "google_storage_bucket" "source" {
  # checkov:skip=CKV_GCP_78:an archive is named by its hash, and made again byte for byte by make package
  # checkov:skip=CKV_GCP_62:access to the archive is in the audit log; it holds no data
  project  = var.project_id
  name     = "${var.project_id}-${var.name}-source"
  location = var.region
  labels   = local.labels

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  # It goes with the archives in it: make package makes each of them again.
  force_destroy = true

  depends_on = [time_sleep.key]
}

# Named by its hash: an unchanged archive plans no change, and a changed one is a new object that rolls out.
resource "google_storage_bucket_object" "source" {
  bucket = google_storage_bucket.source.name
  name   = "${filesha256(var.source_archive)}.zip"
  source = var.source_archive

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = filesha256(var.source_archive) == local.manifest.sha256
      error_message = "source_archive and the .json beside it are not of one packaging; run `make package` again."
    }
    precondition {
      condition     = local.manifest.organization == null || local.manifest.organization == var.organization_id
      error_message = "The archive's firebreak.yaml is for another organization than organization_id; every finding would be turned away."
    }
    precondition {
      condition     = length(setsubtract([for one in local.functions : one.entry_point], local.manifest.entry_points)) == 0
      error_message = "The archive lacks an entry point that is deployed; it is of another version than this configuration."
    }
  }
}

check "ceiling" {
  assert {
    condition     = var.ceiling == "monitor" || local.manifest.ceiling != "monitor"
    error_message = "ceiling is ${var.ceiling}, and the archive's firebreak.yaml says monitor: nothing will be contained until both say more."
  }
}

check "actions" {
  assert {
    condition     = local.monitor_only || length(local.permissions["contain"].permissions) > 0
    error_message = "contain_targets grants nothing: no policy of the archive carries out an action that changes a workload, and extra_actions names none."
  }
  assert {
    condition     = length(var.disable_accounts_in) == 0 || length(local.permissions["accounts"].permissions) > 0
    error_message = "disable_accounts_in grants nothing: no policy of the archive carries out disable_service_account."
  }
}

resource "google_artifact_registry_repository" "images" {
  project       = var.project_id
  location      = var.region
  repository_id = "${var.name}-functions"
  description   = "Images that Cloud Build makes of the functions."
  format        = "DOCKER"
  kms_key_name  = var.kms_key
  labels        = local.labels

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "7776000s" # 90 days
    }
  }

  depends_on = [time_sleep.key]
}

# By default functions are built as the project's Compute Engine account, which is often an editor.
resource "google_service_account" "build" {
  project      = var.project_id
  account_id   = "${var.name}-build"
  display_name = "Firebreak: builds the functions' images"
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}

locals {
  # Where the platform copies an archive to before it is built. It makes the bucket with the first function, so that nothing
  # can be granted on the bucket itself before.
  platform_source = "projects/_/buckets/gcf-v2-sources-${local.project_number}-${var.region}"
}

resource "google_project_iam_member" "build_source" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title      = "Only what is built"
    expression = "resource.name == \"${local.platform_source}\" || resource.name.startsWith(\"${local.platform_source}/\")"
  }
}

# A grant is known everywhere about a minute later; a build that is refused until then fails the whole apply.
resource "time_sleep" "build_grants" {
  create_duration = "90s"
  triggers = {
    account  = google_service_account.build.email
    bucket   = local.platform_source
    packages = coalesce(local.manifest.package_index, "PyPI")
  }

  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_artifact_registry_repository_iam_member.build_packages,
    google_project_iam_member.build_log,
    google_project_iam_member.build_source,
    google_storage_bucket_iam_member.build,
  ]
}

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = var.project_id
  location   = var.region
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

# The archive names the index that its packages come from; one in Artifact Registry has to let the build account in.
locals {
  package_index = regexall("^https://([a-z0-9-]+)-python\\.pkg\\.dev/([^/]+)/([^/]+)/", local.manifest.package_index == null ? "" : local.manifest.package_index)
}

resource "google_artifact_registry_repository_iam_member" "build_packages" {
  for_each = { for one in local.package_index : join("/", one) => one }

  location   = each.value[0]
  project    = each.value[1]
  repository = each.value[2]
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.build.member

  depends_on = [time_sleep.apis]
}

resource "google_project_iam_member" "build_log" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}
