terraform {
  # 1.11 is the first with write-only arguments: the seal key is made and stored without passing through any state.
  required_version = ">= 1.11"

  required_providers {
    # The tests plan with both major versions.
    google = {
      source  = "hashicorp/google"
      version = ">= 7.46, < 9"
    }
    # Only for google_project_service_identity, which the other one does not have.
    google-beta = {
      source  = "hashicorp/google-beta"
      version = ">= 7.46, < 9"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
    # Only for time_sleep: what Google needs a moment to know of is waited for, instead of failing the first apply.
    time = {
      source  = "hashicorp/time"
      version = "~> 0.13"
    }
  }
}
