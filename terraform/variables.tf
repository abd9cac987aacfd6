# The six to fill in. Everything below them has a default that only records, and writes nothing outside this project
# (the two alert variables count as one: either will do).

variable "organization_id" {
  description = "Number of the organization whose findings Firebreak answers."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{6,20}$", var.organization_id))
    error_message = "organization_id is the organization's number, digits only: gcloud organizations list"
  }
}

variable "project_id" {
  description = "The project that Firebreak runs in. Keep everything else out of it: whoever may administer the project can command Firebreak."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is the project's id, not its number or its display name."
  }
}

variable "region" {
  description = "Where functions, topics, records, secrets and the evidence bucket live. Firebreak stores nothing elsewhere, except the ledger if firestore_location is set."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region is a single region such as europe-west1."
  }
}

variable "source_archive" {
  description = "Path of the archive that `make package` wrote. Terraform also reads the .json file beside it."
  type        = string

  validation {
    condition     = endswith(var.source_archive, ".zip") && fileexists(var.source_archive) && fileexists(replace(var.source_archive, "/\\.zip$/", ".json"))
    error_message = "source_archive is the firebreak.zip that `make package` wrote, with its firebreak.json beside it."
  }
}

variable "alert_email" {
  description = "Address that gets every alert; Google sends at most one notification in five minutes and twenty a day of each that reads the log. null: only notification_channels get them."
  type        = string
  default     = null

  validation {
    condition     = var.alert_email != null || length(var.notification_channels) > 0
    error_message = "Somebody has to get the alerts: set alert_email or notification_channels."
  }
}

variable "runbook_url" {
  description = "Where your people read docs/operations.md, such as the page of it in your copy of this repository. Every alert links to its heading there."
  type        = string

  validation {
    condition     = can(regex("^https://[^#\\s]+$", var.runbook_url))
    error_message = "runbook_url is an https:// address without a #; each alert adds its own heading."
  }
}

# What it may touch.

variable "contain_targets" {
  description = "Where Firebreak may contain: organizations/N, folders/N or projects/ID. Empty: monitor only; Firebreak gets no permission to write outside its own project, except to mark findings with write_marks."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for one in var.contain_targets : can(regex("^(organizations/[0-9]+|folders/[0-9]+|projects/[a-z][a-z0-9-]{4,28}[a-z0-9])$", one))])
    error_message = "Each of contain_targets is organizations/NUMBER, folders/NUMBER or projects/ID."
  }
  validation {
    condition     = alltrue([for one in var.contain_targets : !startswith(one, "organizations/") || one == "organizations/${var.organization_id}"])
    error_message = "contain_targets names another organization than organization_id."
  }
  validation {
    condition     = !contains(var.contain_targets, "projects/${var.project_id}")
    error_message = "contain_targets names Firebreak's own project, which it never contains."
  }
}

variable "act_as_service_accounts" {
  description = "Runtime identities (projects/P/serviceAccounts/EMAIL) that Firebreak may act as, instead of all those in contain_targets. Cloud Run requires actAs for every update of a service. Firebreak does not contain a service that runs as an identity not listed here, and the record says so."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for one in var.act_as_service_accounts : can(regex("^projects/[a-z0-9:.-]+/serviceAccounts/[a-z0-9.-]+@[a-z0-9.-]+$", one))])
    error_message = "Each of act_as_service_accounts is projects/PROJECT/serviceAccounts/EMAIL."
  }
  validation {
    condition     = length(var.act_as_service_accounts) == 0 || length(var.contain_targets) > 0
    error_message = "act_as_service_accounts narrows contain_targets, and those are empty."
  }
}

variable "disable_accounts_in" {
  description = "Where Firebreak may disable service accounts, and enable them again: organizations/N, folders/N, projects/ID or single ones (projects/P/serviceAccounts/EMAIL). Empty: nowhere; Google then denies the action disable_service_account, and the record says so. Everything that runs as a disabled account stops working, so name only what that action must reach."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for one in var.disable_accounts_in : can(regex("^(organizations/[0-9]+|folders/[0-9]+|projects/[a-z][a-z0-9-]{4,28}[a-z0-9]|projects/[a-z0-9:.-]+/serviceAccounts/[a-z0-9.-]+@[a-z0-9.-]+)$", one))])
    error_message = "Each of disable_accounts_in is organizations/NUMBER, folders/NUMBER, projects/ID or projects/PROJECT/serviceAccounts/EMAIL."
  }
  validation {
    condition     = length(var.disable_accounts_in) == 0 || length(var.contain_targets) > 0
    error_message = "disable_accounts_in is of no use without contain_targets, and those are empty."
  }
  validation {
    condition     = alltrue([for one in var.disable_accounts_in : !startswith(one, "organizations/") || one == "organizations/${var.organization_id}"])
    error_message = "disable_accounts_in names another organization than organization_id."
  }
  validation {
    condition     = alltrue([for one in var.disable_accounts_in : !startswith("${one}/", "projects/${var.project_id}/")])
    error_message = "disable_accounts_in names Firebreak's own project, whose accounts it never disables."
  }
}

variable "ceiling" {
  description = "The highest mode of any decision: monitor, approve or enforce. firebreak.yaml has a ceiling of its own, and the lower one counts."
  type        = string
  default     = "monitor"
  nullable    = false

  validation {
    condition     = contains(["monitor", "approve", "enforce"], var.ceiling)
    error_message = "ceiling is monitor, approve or enforce."
  }
  validation {
    condition     = var.ceiling == "monitor" || length(var.contain_targets) > 0
    error_message = "A ceiling above monitor needs contain_targets: without them every containment would be denied."
  }
}

variable "write_marks" {
  description = "Whether Firebreak marks findings in Security Command Center with what it did. true grants securitycenter.findingsecuritymarks.update on the organization and sets FIREBREAK_SCC_MARKS."
  type        = bool
  default     = false
  nullable    = false
}

variable "read_targets" {
  description = "Where Firebreak may read workloads and what belongs to them. Empty: the whole organization. Firebreak asks a person about a workload that it cannot read. It reads findings on the organization in any case."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for one in var.read_targets : can(regex("^(organizations/[0-9]+|folders/[0-9]+|projects/[a-z][a-z0-9-]{4,28}[a-z0-9])$", one))])
    error_message = "Each of read_targets is organizations/NUMBER, folders/NUMBER or projects/ID."
  }
  validation {
    condition = (
      length(var.read_targets) == 0 || contains(var.read_targets, "organizations/${var.organization_id}") ||
      length(setsubtract(var.contain_targets, var.read_targets)) == 0
    )
    error_message = "read_targets leaves out one of contain_targets, and what cannot be read is never contained. Name each of contain_targets in read_targets too, also where a folder of read_targets holds it."
  }
}

variable "withhold" {
  description = "Permissions in permissions.json that Firebreak does not get, such as logging.logEntries.list. What it cannot read becomes a gap on the record and a question to a person; a write that it may not make fails, and the record says so."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.withhold, flatten([for one in values(jsondecode(file("${path.module}/permissions.json"))) : keys(one.permissions)]))) == 0
    error_message = "withhold names a permission that is not granted anyway; terraform/permissions.json has them all."
  }
}

variable "extra_actions" {
  description = "Actions whose permissions are granted beside those of the actions that the packaged policies carry out: name one that you took out of your policies until what it changed is released."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for one in var.extra_actions : strcontains(file("${path.module}/permissions.json"), "\"responders/${one}.py\"")])
    error_message = "extra_actions names something that is no action or changes nothing; firebreak policy actions lists them."
  }
}

variable "commanders" {
  description = "Who may approve, reject, release, halt and resume: user:, group: or serviceAccount: principals. They may publish to the commands topic and read ledger, evidence, records, log and metrics. Nobody else but the scheduler may publish there."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for one in var.commanders : can(regex("^(user|group|serviceAccount):[^@ ]+@[^@ ]+$", one))])
    error_message = "Each of commanders is one named principal: user:, group: or serviceAccount: and an address. Not domain:, allUsers or allAuthenticatedUsers."
  }
}

variable "drill" {
  description = "Where commanders may rehearse with firebreak drill: the ids of projects in which canaries are deployed, which must lie within contain_targets, and the number of an SCC source that the organization has for it; without one, a source is made. firebreak.yaml names the same (docs/drill.md)."
  type = object({
    projects = set(string)
    source   = optional(string)
  })
  default = null

  validation {
    condition     = var.drill == null || try(length(var.drill.projects) > 0 && alltrue([for one in var.drill.projects : can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", one))]), false)
    error_message = "drill names at least one project, by its id."
  }

  validation {
    condition     = try(var.drill.source, null) == null || can(regex("^[0-9]{1,25}$", var.drill.source))
    error_message = "drill.source is the digits of a source's number: what follows sources/ in its name."
  }
}

# What reaches it.

variable "finding_locations" {
  description = "Locations of Security Command Center that deliver findings, and in which the sweep looks for lost ones. Without data residency that is global alone; with it, list each location in use: eu, us, sa. Terraform makes the delivery of global; the output regional_deliveries has a line for each of the others (docs/deploy.md)."
  type        = set(string)
  default     = ["global"]
  nullable    = false

  validation {
    condition     = length(var.finding_locations) > 0 && length(setsubtract(var.finding_locations, ["global", "eu", "us", "sa"])) == 0
    error_message = "finding_locations names locations of Security Command Center, at least one: global, or under data residency eu, us, sa."
  }
}

variable "extra_categories" {
  description = "Finding categories to deliver beside those that the packaged policies could match."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "narrow_filter" {
  description = "A further condition, in Security Command Center's filter language, that findings must meet to be delivered. Firebreak does not even record what it leaves out."
  type        = string
  default     = ""
  nullable    = false
}

# Who it is, and how large.

variable "name" {
  description = "Prefix of all names. Two deployments in one organization need two prefixes. A new prefix replaces everything, and the old names of the roles stay locked for a month."
  type        = string
  default     = "firebreak"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,10}[a-z0-9]$", var.name))
    error_message = "name is 3 to 12 lower case letters, digits and dashes: service accounts have no more room."
  }
}

variable "runtime" {
  description = "The functions' Python. requirements.txt is pinned by hash for all of these."
  type        = string
  default     = "python313"
  nullable    = false

  validation {
    condition     = contains(["python311", "python312", "python313", "python314"], var.runtime)
    error_message = "runtime is python311, python312, python313 or python314."
  }
}

variable "min_instances" {
  description = "Instances of on-finding that stay warm. 0 costs nothing while idle, but after a quiet time a finding waits a few seconds for a cold start. 1 costs an idle vCPU and 512 MiB around the clock, about 10 USD a month at list price."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.min_instances >= 0 && var.min_instances <= 10
    error_message = "min_instances is 0 to 10."
  }
}

variable "max_instances" {
  description = "Highest number of instances of each function; each takes 16 messages at a time. This limits cost and the load on the APIs that Firebreak asks. Further messages wait in their subscription."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 100
    error_message = "max_instances is 1 to 100."
  }
}

variable "vpc" {
  description = "Send all egress of the functions through this network, so that your firewall and NAT decide what they reach (docs/security.md lists it). The subnetwork is in the region. null: Google's default egress."
  type        = object({ network = string, subnetwork = string })
  default     = null
}

variable "build_worker_pool" {
  description = "Cloud Build private pool (projects/P/locations/L/workerPools/N) that builds the functions, instead of Google's own workers. In another project than project_id, grant roles/cloudbuild.customworkers.builder there to the agent that the outputs name as function_builder. It needs a way to the package index."
  type        = string
  default     = null

  validation {
    condition     = var.build_worker_pool == null || can(regex("^projects/[^/]+/locations/[^/]+/workerPools/[^/]+$", var.build_worker_pool))
    error_message = "build_worker_pool is projects/PROJECT/locations/LOCATION/workerPools/NAME."
  }
}

variable "kms_key" {
  description = "Cloud KMS key (projects/P/locations/REGION/keyRings/R/cryptoKeys/K, in the region) that everything which keeps data is encrypted with: functions and their images, topics, buckets, BigQuery, secrets, Firestore. Firestore and the images' repository take it only when they are made. If it is lost, so are ledger and evidence."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/${var.region}/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key is projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY, in the same region as Firebreak."
  }
  validation {
    condition     = var.kms_key == null || coalesce(var.firestore_location, var.region) == var.region
    error_message = "With kms_key the ledger is in the region too: a key encrypts only where it is."
  }
}

variable "secret_versions" {
  description = "Which version of each secret the functions use: a number, or latest, which each instance reads when it starts. null: none. Add the version first (docs/deploy.md), because a function does not start without it. Terraform makes the seal key's first version."
  type = object({
    virustotal_api_key = optional(string)
    slack_webhook      = optional(string)
    chat_webhook       = optional(string)
    seal_key           = optional(string, "latest")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for one in values(var.secret_versions) : one == null || can(regex("^(latest|[1-9][0-9]*)$", one))])
    error_message = "Each of secret_versions is latest or a version's number; the secret itself does not belong here."
  }
}

variable "notify_secret_versions" {
  description = "Which version of the secret of each channel in firebreak.yaml the functions use, by the end of its variable: soc_slack for FIREBREAK_NOTIFY_SOC_SLACK, whose secret is called NAME-notify-soc-slack. null makes the secret and does not use it yet: add a version, then name it."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, one in var.notify_secret_versions : can(regex("^[a-z][a-z0-9_]{0,59}$", name)) && (one == null || can(regex("^(latest|[1-9][0-9]*)$", one)))])
    error_message = "notify_secret_versions has small letters, digits and underscores as names, and latest, a version's number or null; the secret itself does not belong here."
  }
}

# What it keeps.

variable "evidence_retention_days" {
  description = "For how many days nobody can delete or overwrite evidence. The bucket deletes it a day later."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = var.evidence_retention_days >= 1 && var.evidence_retention_days <= 36500
    error_message = "evidence_retention_days is at least 1."
  }
}

variable "lock_evidence_retention" {
  description = "Lock the retention of evidence. CANNOT BE UNDONE: from then on nobody, Google included, can shorten it or delete the bucket before the last object's time is up."
  type        = bool
  default     = false
  nullable    = false
}

variable "record_days" {
  description = "How long announced incident records stay in BigQuery."
  type        = number
  default     = 400
  nullable    = false

  validation {
    condition     = var.record_days >= 1
    error_message = "record_days is at least 1."
  }
}

variable "firestore_location" {
  description = "Location of the ledger; null: the region. Not every region has Firestore, and it cannot be changed later."
  type        = string
  default     = null
}

variable "delete_protection" {
  description = "Protect ledger, records, secrets and evidence from being destroyed with the rest. To remove Firebreak, release everything, turn this off, apply, and only then destroy (docs/operations.md)."
  type        = bool
  default     = true
  nullable    = false
}

# Who hears of it.

variable "notification_channels" {
  description = "Names of existing Cloud Monitoring channels (projects/P/notificationChannels/N) that alerts go to."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "sweep_schedule" {
  description = "How often the sweep runs, as cron in UTC, at least every 20 minutes, which is what the alert no-sweep counts over: it continues unfinished work, repeats expired questions, checks active containments and looks for lost findings."
  type        = string
  default     = "*/5 * * * *"
  nullable    = false
}

variable "containment_objective_seconds" {
  description = "Seconds from Firebreak's first sight of a finding to a verified containment without a person. A slower one raises an alert."
  type        = number
  default     = 120
  nullable    = false
}

variable "labels" {
  description = "Labels on everything that takes them."
  type        = map(string)
  default     = {}
  nullable    = false
}
