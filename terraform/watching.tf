locals {
  channels = concat(
    var.notification_channels,
    [for one in google_monitoring_notification_channel.email : one.name],
  )

  service_names = [for name in keys(local.functions) : "${var.name}-${name}"]
  log           = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for one in local.service_names : "\"${one}\""])})"

  # What the functions write, by the fields that the code gives it, and what Cloud Run writes about their containers.
  written  = "${local.log} AND logName:\"run.googleapis.com%2Fstdout\""
  platform = "${local.log} AND logName:\"run.googleapis.com%2Fvarlog%2Fsystem\""

  # A line that says nothing beside its message is kept as a text.
  announced = "jsonPayload.announcement:* AND jsonPayload.phase:*"
  untrusted = "(jsonPayload.announcement:* AND severity=ERROR AND NOT jsonPayload.phase=\"failed\") OR jsonPayload.message:\"the seal of\" OR jsonPayload.message:\"the ledger is behind\" OR textPayload:\"the ledger is behind\""
  set_aside = "jsonPayload.message:\"a record is set aside\" OR jsonPayload.message:\"acknowledged, and nothing was done\""
  # Whatever else is an error: not by its words, so that no new one goes unheard.
  faults     = "severity>=ERROR AND NOT jsonPayload.announcement:* AND NOT (${local.untrusted}) AND NOT (${local.set_aside})"
  virustotal = "jsonPayload.record.evidence.gap:\"the VirusTotal quota is used up\""

  # What is counted, for the dashboard and for the alert on sweeps.
  counted = {
    announcements    = local.announced
    faults           = local.faults
    sweeps           = "jsonPayload.message=\"the sweep is done\""
    virustotal-quota = local.virustotal
  }

  # Each alert's runbook is the heading of the same name in docs/operations.md. These look at the log itself.
  log_alerts = {
    failed-containment = {
      says     = "A containment failed, or what was to be contained could not be read. The workload serves as before unless the record says otherwise."
      filter   = "${local.written} AND ${local.announced} AND jsonPayload.phase=\"failed\""
      severity = "CRITICAL"
    }
    approval-waiting = {
      says     = "Firebreak asks a person: a plan is drawn, and is not carried out until somebody approves it."
      filter   = "${local.written} AND ${local.announced} AND jsonPayload.phase=\"waiting\""
      severity = "WARNING"
    }
    unverified = {
      says     = "Security Command Center does not hold a finding that was delivered, a seal is broken, or the ledger was put back. Somebody may be trying to aim Firebreak, or to lead its undo astray. Nothing was written."
      filter   = "${local.written} AND (${local.untrusted})"
      severity = "ERROR"
    }
    function-error = {
      says     = "A fault in Firebreak itself, a function that does not start, or something that it could not deal with. The message is delivered again for over two hours. Or a function without any policy: findings are recorded, and nothing is decided."
      filter   = "${local.written} AND ${local.faults}"
      severity = "ERROR"
    }
    container-crash = {
      says     = "A container of a function ended by itself, was killed, or did not start: out of memory, a crash, or code that cannot be loaded. What it was working on is delivered again."
      filter   = "${local.platform} AND severity>=WARNING AND NOT textPayload:\"Container called exit(0)\""
      severity = "ERROR"
    }
    set-aside = {
      says     = "A record on the ledger cannot be read, its seal does not hold, or it is a newer version's. It is left as it is, and nothing is done with it until somebody has looked."
      filter   = "${local.written} AND severity>=ERROR AND (${local.set_aside})"
      severity = "ERROR"
    }
    virustotal-quota = {
      says     = "The VirusTotal quota is used up until midnight UTC. Its facts are unknown until then, so that people are asked more often."
      filter   = "${local.written} AND ${local.virustotal}"
      severity = "WARNING"
    }
    unlisted-detector = {
      says     = "Security Command Center holds a threat on Cloud Run of a category that this version of Firebreak does not list, and no policy names. Said once of each."
      filter   = "${local.written} AND jsonPayload.unlisted_detector:*"
      severity = "WARNING"
    }
    slow-containment = {
      says     = "A containment without a person took longer than the objective of ${var.containment_objective_seconds} s."
      filter   = "${local.written} AND jsonPayload.seconds_to_contain>${var.containment_objective_seconds}"
      severity = "WARNING"
    }
  }

  # These look at Google's own metrics, which are always there.
  metric_alerts = {
    dead-letter = {
      says     = "A message was given up after 20 attempts, or could not be read. It is kept for 31 days."
      filter   = "resource.type=\"pubsub_subscription\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.labels.subscription_id=one_of(${join(",", [for one in google_pubsub_subscription.dead : "\"${one.name}\""])})"
      above    = 0
      duration = "0s"
      period   = "60s"
      aligner  = "ALIGN_MAX"
      severity = "CRITICAL"
    }
    backlog = {
      says     = "The oldest message has waited for over ten minutes: a function, the ledger, or an API that it asks is not to be reached."
      filter   = "resource.type=\"pubsub_subscription\" AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.labels.subscription_id=one_of(${join(",", [for one in google_pubsub_subscription.push : "\"${one.name}\""])})"
      above    = 600
      duration = "300s"
      period   = "60s"
      aligner  = "ALIGN_MAX"
      severity = "ERROR"
    }
  }

  # The text of every alert: what it says, and where it is told what to do.
  alert_texts = merge(
    { for name, one in merge(local.log_alerts, local.metric_alerts) : name => one.says },
    { no-sweep = "No sweep has finished for half an hour: reviews, expiries, drift and missed findings go unseen." },
  )
  documentation = { for name, one in local.alert_texts : name => "${one}\n\nRunbook: ${var.runbook_url}#${name}" }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_email == null ? {} : { email = var.alert_email }

  project      = var.project_id
  display_name = "Firebreak alerts"
  type         = "email"
  labels       = { email_address = each.value }
  user_labels  = local.labels

  depends_on = [time_sleep.apis]
}

resource "google_logging_metric" "count" {
  for_each = local.counted

  project     = var.project_id
  name        = "${var.name}/${each.key}"
  description = "Firebreak: lines of ${each.key} in its log."
  filter      = "${local.written} AND ${each.value}"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    dynamic "labels" {
      for_each = each.key == "announcements" ? ["phase"] : []
      content {
        key = labels.value
      }
    }
  }
  label_extractors = each.key == "announcements" ? { phase = "EXTRACT(jsonPayload.phase)" } : null

  depends_on = [time_sleep.apis]
}

resource "google_logging_metric" "seconds_to_contain" {
  project         = var.project_id
  name            = "${var.name}/seconds-to-contain"
  description     = "Firebreak: seconds from its first sight of a finding to a verified containment that no person was asked about."
  filter          = "${local.written} AND jsonPayload.seconds_to_contain>=0"
  value_extractor = "EXTRACT(jsonPayload.seconds_to_contain)"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "s"
  }

  bucket_options {
    explicit_buckets {
      bounds = [1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800, 3600]
    }
  }

  depends_on = [time_sleep.apis]
}

resource "google_monitoring_alert_policy" "log" {
  for_each = local.log_alerts

  project      = var.project_id
  display_name = "${var.name}: ${each.key}"
  combiner     = "OR"
  severity     = each.value.severity
  user_labels  = local.labels

  conditions {
    display_name = each.key
    condition_matched_log {
      filter           = each.value.filter
      label_extractors = { incident = "EXTRACT(jsonPayload.incident)" }
    }
  }

  notification_channels = local.channels

  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "300s"
    }
  }

  documentation {
    subject   = "Firebreak: ${each.key}"
    mime_type = "text/markdown"
    content   = local.documentation[each.key]
  }
}

resource "google_monitoring_alert_policy" "metric" {
  for_each = local.metric_alerts

  project      = var.project_id
  display_name = "${var.name}: ${each.key}"
  combiner     = "OR"
  severity     = each.value.severity
  user_labels  = local.labels

  conditions {
    display_name = each.key
    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = each.value.duration
      aggregations {
        alignment_period   = each.value.period
        per_series_aligner = each.value.aligner
      }
    }
  }

  notification_channels = local.channels

  documentation {
    subject   = "Firebreak: ${each.key}"
    mime_type = "text/markdown"
    content   = local.documentation[each.key]
  }
}

# The log has no line to look for here, so a metric it is. An absence condition waits for a first point, and so never rings
# where no sweep ever ran; a query that counts nothing as 0 does. A new metric is not known to alerts for ten minutes, hence
# no look whether it is there.
resource "google_monitoring_alert_policy" "no_sweep" {
  project      = var.project_id
  display_name = "${var.name}: no-sweep"
  combiner     = "OR"
  severity     = "ERROR"
  user_labels  = local.labels

  conditions {
    display_name = "no-sweep"
    condition_prometheus_query_language {
      query                     = "(sum(sum_over_time({__name__=\"logging_googleapis_com:user_${replace(google_logging_metric.count["sweeps"].name, "/[^a-zA-Z0-9]/", "_")}\",monitored_resource=\"cloud_run_revision\"}[20m])) or vector(0)) < 1"
      duration                  = "600s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  notification_channels = local.channels

  documentation {
    subject   = "Firebreak: no-sweep"
    mime_type = "text/markdown"
    content   = local.documentation["no-sweep"]
  }
}

locals {
  tiles = [
    { title = "Announcements by phase", filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.count["announcements"].name}\"", aligner = "ALIGN_DELTA", by = ["metric.label.phase"] },
    { title = "Seconds to contain, 99th percentile", filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.seconds_to_contain.name}\"", aligner = "ALIGN_PERCENTILE_99", by = [] },
    { title = "Oldest unanswered message, seconds", filter = local.metric_alerts.backlog.filter, aligner = "ALIGN_MAX", by = ["resource.label.subscription_id"] },
    { title = "Dead letters kept", filter = local.metric_alerts.dead-letter.filter, aligner = "ALIGN_MAX", by = ["resource.label.subscription_id"] },
    { title = "Sweeps finished", filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.count["sweeps"].name}\"", aligner = "ALIGN_DELTA", by = [] },
    { title = "Faults in Firebreak itself", filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.count["faults"].name}\"", aligner = "ALIGN_DELTA", by = [] },
    { title = "Answers without a VirusTotal quota", filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.count["virustotal-quota"].name}\"", aligner = "ALIGN_DELTA", by = [] },
    { title = "Requests by status", filter = "resource.type=\"cloud_run_revision\" AND metric.type=\"run.googleapis.com/request_count\" AND resource.labels.service_name=one_of(${join(",", [for one in local.service_names : "\"${one}\""])})", aligner = "ALIGN_DELTA", by = ["metric.label.response_code_class"] },
  ]
}

resource "google_monitoring_dashboard" "firebreak" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = "Firebreak (${var.name})"
    mosaicLayout = {
      columns = 12
      # Google drops zeros and empty lists when it stores this, and a plan that sends them would never say "No changes".
      tiles = [for index, one in local.tiles : { for key, value in {
        xPos   = (index % 2) * 6
        yPos   = floor(index / 2) * 4
        width  = 6
        height = 4
        widget = {
          title = one.title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = one.filter
                  aggregation = { for key, value in {
                    alignmentPeriod    = "300s"
                    perSeriesAligner   = one.aligner
                    crossSeriesReducer = one.aligner == "ALIGN_DELTA" ? "REDUCE_SUM" : "REDUCE_MAX"
                    groupByFields      = one.by
                  } : key => value if try(length(value), 1) > 0 }
                }
              }
            }]
          }
        }
      } : key => value if value != 0 }]
    }
  })

  depends_on = [time_sleep.apis]
}
