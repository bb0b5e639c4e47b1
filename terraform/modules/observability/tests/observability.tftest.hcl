mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  prefix                    = "bill-test"
  kms_key_arn               = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  function_names            = { payments = "bill-test-payments", utils = "bill-test-utils", migrate = "bill-test-migrate", reconcile = "bill-test-reconcile" }
  function_timeouts_seconds = { payments = 20, utils = 30 }
  reconcile_log_group_name  = "/aws/lambda/bill-test-reconcile"
  auth_log_group_name       = "/aws/lambda/bill-test-auth"
  web_acl_name              = "bill-test"
  cache_log_group_names     = { utils = "/aws/lambda/bill-test-utils" }
  invariants = {
    I1  = { name = "bill_paid_once", promise = "" }
    I2  = { name = "payment_adds_up", promise = "" }
    I3  = { name = "bill_open_or_paid", promise = "" }
    I5  = { name = "request_answered", promise = "" }
    I8  = { name = "history_without_gap", promise = "" }
    I12 = { name = "cache_never_stalls", promise = "" }
  }
  request_queue_names     = { auth = "bill-test-auth", payments = "bill-test-payments" }
  dead_letter_queue_names = { payments = "bill-test-payments-dlq" }
  api                     = { name = "bill-test", stage = "v1", post_resources = { requestPayment = "/apartments/{apartment_id}/payments" } }
  database                = { instance_identifier = "bill-test", max_connections = 200 }
  cache_node_ids          = ["bill-test-001", "bill-test-002"]
}

run "each_failure_has_an_alarm" {
  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset([
      "api-errors", "ledger-differs", "cache-evictions-bill-test-001", "cache-evictions-bill-test-002", "cache-left-alone",
      "cache-processor-bill-test-001", "cache-processor-bill-test-002", "database-connections", "database-memory",
      "database-processor", "database-storage", "dead-letters-payments", "duration-payments", "duration-utils", "errors-migrate",
      "errors-payments", "errors-reconcile", "errors-utils", "failed-logins", "firewall-blocks", "latency-requestPayment", "oldest-request-auth", "oldest-request-payments",
      "throttles-migrate", "throttles-payments", "throttles-reconcile", "throttles-utils",
    ])
    error_message = "Each way to fail needs its alarm."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.ok_actions == toset([aws_sns_topic.alarms.arn])])
    error_message = "Every alarm must reach somebody."
  }
}

run "an_alarm_rings_for_the_first_failure_and_for_what_lasts_too_long" {
  # Messages that were moved to a dead-letter queue are never counted as sent to it.
  assert {
    condition = {
      for name in ["dead-letters-payments", "errors-payments", "oldest-request-auth", "throttles-utils", "ledger-differs", "api-errors"] : name => {
        for alarm in [aws_cloudwatch_metric_alarm.this[name]] :
        alarm.metric_name => "${alarm.statistic} ${alarm.comparison_operator} ${alarm.threshold} for ${alarm.evaluation_periods}"
      }
      } == {
      dead-letters-payments = { ApproximateNumberOfMessagesVisible = "Maximum GreaterThanThreshold 0 for 1" }
      errors-payments       = { Errors = "Sum GreaterThanThreshold 0 for 1" }
      oldest-request-auth   = { ApproximateAgeOfOldestMessage = "Maximum GreaterThanThreshold 60 for 3" }
      throttles-utils       = { Throttles = "Sum GreaterThanThreshold 0 for 5" }
      ledger-differs        = { LedgerDiffers = "Sum GreaterThanThreshold 0 for 1" }
      api-errors            = { "5XXError" = "Average GreaterThanThreshold 0.01 for 3" }
    }
    error_message = "One failure is one too many, and who waits must not wait for long."
  }

  assert {
    condition = alltrue([
      aws_cloudwatch_metric_alarm.this["dead-letters-payments"].dimensions == tomap({ QueueName = "bill-test-payments-dlq" }),
      aws_cloudwatch_metric_alarm.this["errors-payments"].dimensions == tomap({ FunctionName = "bill-test-payments" }),
      aws_cloudwatch_metric_alarm.this["database-storage"].comparison_operator == "LessThanThreshold",
    ])
    error_message = "An alarm must look at what it is named after."
  }
}

run "thresholds_follow_from_what_is_deployed" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["duration-payments"].threshold == 16000 && aws_cloudwatch_metric_alarm.this["database-connections"].threshold == 160
    error_message = "80 % of 20 s is 16,000 ms, and of 200 connections 160."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["latency-requestPayment"].extended_statistic == "p95" && aws_cloudwatch_metric_alarm.this["latency-requestPayment"].dimensions["Resource"] == "/apartments/{apartment_id}/payments"
    error_message = "Latency is that of POST: polls wait 20 s on purpose."
  }
}

run "what_runs_by_a_schedule_rings_when_it_is_silent" {
  assert {
    condition = alltrue([
      for name, hours in { reconcile = 26, sweep = 1 } : alltrue([
        aws_cloudwatch_metric_alarm.silence[name].dimensions == tomap({ FunctionName = "bill-test-${name}" }),
        aws_cloudwatch_metric_alarm.silence[name].treat_missing_data == "breaching",
        aws_cloudwatch_metric_alarm.silence[name].period * aws_cloudwatch_metric_alarm.silence[name].evaluation_periods == hours * 3600,
        aws_cloudwatch_metric_alarm.silence[name].alarm_actions == toset([aws_sns_topic.alarms.arn]),
      ])
    ])
    error_message = "A check that nobody calls must ring, too."
  }
}

run "a_ledger_that_differs_is_found_in_the_log_of_reconcile" {
  assert {
    condition = alltrue([
      aws_cloudwatch_log_metric_filter.ledger_differs.log_group_name == "/aws/lambda/bill-test-reconcile",
      strcontains(aws_cloudwatch_log_metric_filter.ledger_differs.pattern, "ledger_differs"),
      aws_cloudwatch_metric_alarm.this["ledger-differs"].namespace == aws_cloudwatch_log_metric_filter.ledger_differs.metric_transformation[0].namespace,
      aws_cloudwatch_metric_alarm.this["ledger-differs"].metric_name == aws_cloudwatch_log_metric_filter.ledger_differs.metric_transformation[0].name,
    ])
    error_message = "The filter must read the log of reconcile, and the alarm watch the filter's metric."
  }
}

run "attacks_on_logins_and_at_the_firewall_ring" {
  assert {
    condition = alltrue([
      aws_cloudwatch_log_metric_filter.failed_logins.log_group_name == "/aws/lambda/bill-test-auth",
      strcontains(aws_cloudwatch_log_metric_filter.failed_logins.pattern, "invalid_credentials"),
      aws_cloudwatch_metric_alarm.this["failed-logins"].metric_name == aws_cloudwatch_log_metric_filter.failed_logins.metric_transformation[0].name,
      aws_cloudwatch_metric_alarm.this["failed-logins"].namespace == aws_cloudwatch_log_metric_filter.failed_logins.metric_transformation[0].namespace,
      aws_cloudwatch_metric_alarm.this["firewall-blocks"].namespace == "AWS/WAFV2",
      aws_cloudwatch_metric_alarm.this["firewall-blocks"].metric_name == "BlockedRequests",
      aws_cloudwatch_metric_alarm.this["firewall-blocks"].dimensions["WebACL"] == "bill-test",
      aws_cloudwatch_metric_alarm.this["firewall-blocks"].dimensions["Rule"] == "ALL",
    ])
    error_message = "Failed logins must be counted in the log of auth, and blocked requests over all rules of the firewall."
  }
}

run "an_unreachable_cache_is_found_in_the_logs_of_its_users" {
  assert {
    condition = alltrue([
      aws_cloudwatch_log_metric_filter.cache_left_alone["utils"].log_group_name == "/aws/lambda/bill-test-utils",
      aws_cloudwatch_metric_alarm.this["cache-left-alone"].namespace == aws_cloudwatch_log_metric_filter.cache_left_alone["utils"].metric_transformation[0].namespace,
      aws_cloudwatch_metric_alarm.this["cache-left-alone"].metric_name == aws_cloudwatch_log_metric_filter.cache_left_alone["utils"].metric_transformation[0].name,
      aws_cloudwatch_metric_alarm.this["cache-left-alone"].evaluation_periods == 5,
    ])
    error_message = "A filter must read the log of each function that uses the cache, and the alarm let a failover pass."
  }
}

run "an_alarm_begins_with_the_invariants_that_it_guards" {
  assert {
    condition = alltrue([
      for name, start in {
        # Requests that are not answered.
        dead-letters-payments = "I5 request_answered: "
        oldest-request-auth   = "I5 request_answered: "
        errors-payments       = "I5 request_answered: "
        throttles-payments    = "I5 request_answered: "
        # A rule of the ledger.
        ledger-differs = "I1 bill_paid_once, I2 payment_adds_up, I3 bill_open_or_paid, I8 history_without_gap: Reconciling"
        # A cache in trouble.
        cache-left-alone = "I12 cache_never_stalls: "
        duration-utils   = "I12 cache_never_stalls: "
        # None of them: what to do comes at once.
        errors-migrate    = "Function"
        duration-payments = "Function"
        database-storage  = "The"
      } : startswith(aws_cloudwatch_metric_alarm.this[name].alarm_description, start)
    ])
    error_message = "Whoever gets an alarm must see which promise is in danger."
  }
}

run "notifications_are_encrypted_and_come_from_this_account_alone" {
  variables {
    alarm_emails = ["oncall@example.org"]
  }

  assert {
    condition = alltrue([
      aws_sns_topic.alarms.kms_master_key_id == var.kms_key_arn,
      aws_sns_topic_subscription.email["oncall@example.org"].topic_arn == aws_sns_topic.alarms.arn,
      one(data.aws_iam_policy_document.alarms.statement[0].principals) == { type = "Service", identifiers = toset(["cloudwatch.amazonaws.com"]) },
      one(data.aws_iam_policy_document.alarms.statement[0].condition) == { test = "StringEquals", variable = "aws:SourceAccount", values = tolist(["123456789012"]) },
      data.aws_iam_policy_document.alarms.statement[1].effect == "Deny",
      one(data.aws_iam_policy_document.alarms.statement[1].condition) == { test = "Bool", variable = "aws:SecureTransport", values = tolist(["false"]) },
    ])
    error_message = "The topic must be encrypted, have its subscribers, and take alarms of this account alone."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 10 && alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : length(widget.properties.metrics) > 0 && widget.properties.region == "eu-central-1"])
    error_message = "No picture of the dashboard may be empty."
  }
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    alarm_emails = ["oncall"]
    thresholds   = { duration_percent = 120 }
    invariants   = {}
  }

  expect_failures = [var.invariants, var.alarm_emails, var.thresholds]
}
