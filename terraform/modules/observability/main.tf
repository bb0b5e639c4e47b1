# Alarms, where they go, and a dashboard.

data "aws_caller_identity" "this" {}

data "aws_region" "this" {}

locals {
  # An alarm is a metric, how it is summed up, when it is too much, and what to do then (docs/runbook.md).
  # Where it goes off because a promise is in danger, `guards` says which, by invariants.json.
  alarms = merge(
    {
      for operation, queue in var.dead_letter_queue_names : "dead-letters-${operation}" => {
        guards    = ["I5"]
        about     = "Requests of ${operation} failed on every receive. Find out why, then redrive the queue."
        namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = queue }
        statistic = "Maximum", threshold = 0, comparison = "GreaterThanThreshold", minutes = 1
      }
    },
    {
      for operation, queue in var.request_queue_names : "oldest-request-${operation}" => {
        guards    = ["I5"]
        about     = "Requests of ${operation} wait too long. Raise its concurrency, or find what slows it down."
        namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = queue }
        statistic = "Maximum", threshold = var.thresholds.oldest_request_seconds, comparison = "GreaterThanThreshold", minutes = 3
      }
    },
    {
      for name, function in var.function_names : "errors-${name}" => {
        guards    = contains(keys(var.request_queue_names), name) ? ["I5"] : []
        about     = "Function ${name} failed. Its log says why."
        namespace = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = function }
        statistic = "Sum", threshold = 0, comparison = "GreaterThanThreshold", minutes = 1
      }
    },
    {
      for name, function in var.function_names : "throttles-${name}" => {
        guards    = contains(keys(var.request_queue_names), name) ? ["I5"] : []
        about     = "Function ${name} was called more often at once than it may run. Raise its concurrency."
        namespace = "AWS/Lambda", metric = "Throttles", dimensions = { FunctionName = function }
        statistic = "Sum", threshold = 0, comparison = "GreaterThanThreshold", minutes = 5
      }
    },
    {
      for name, timeout in var.function_timeouts_seconds : "duration-${name}" => {
        guards    = contains(keys(var.cache_log_group_names), name) ? ["I12"] : []
        about     = "Function ${name} comes near its timeout of ${timeout} s."
        namespace = "AWS/Lambda", metric = "Duration", dimensions = { FunctionName = var.function_names[name] }
        statistic = "Maximum", threshold = timeout * 10 * var.thresholds.duration_percent, comparison = "GreaterThanThreshold", minutes = 3
      }
    },
    {
      for operation, resource in var.api.post_resources : "latency-${operation}" => {
        guards     = []
        about      = "The API is slow to accept ${operation}."
        namespace  = "AWS/ApiGateway", metric = "Latency"
        dimensions = { ApiName = var.api.name, Stage = var.api.stage, Resource = resource, Method = "POST" }
        statistic  = "p95", threshold = var.thresholds.api_latency_milliseconds, comparison = "GreaterThanThreshold", minutes = 5
      }
    },
    {
      for node in var.cache_node_ids : "cache-evictions-${node}" => {
        guards    = ["I12"]
        about     = "The cache is full and drops results before their time. Take a larger node_type."
        namespace = "AWS/ElastiCache", metric = "Evictions", dimensions = { CacheClusterId = node }
        statistic = "Sum", threshold = 0, comparison = "GreaterThanThreshold", minutes = 5
      }
    },
    {
      for node in var.cache_node_ids : "cache-processor-${node}" => {
        guards    = ["I12"]
        about     = "The cache's processor is busy. Take a larger node_type."
        namespace = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = { CacheClusterId = node }
        statistic = "Average", threshold = var.thresholds.cache_processor_percent, comparison = "GreaterThanThreshold", minutes = 5
      }
    },
    {
      api-errors = {
        guards    = []
        about     = "The API answers 5xx: it does not reach its queues, or may not."
        namespace = "AWS/ApiGateway", metric = "5XXError", dimensions = { ApiName = var.api.name, Stage = var.api.stage }
        statistic = "Average", threshold = var.thresholds.api_error_percent / 100, comparison = "GreaterThanThreshold", minutes = 3
      }
      database-connections = {
        guards    = []
        about     = "The database runs out of connections. Lower concurrency, or raise max_connections."
        namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = { DBInstanceIdentifier = var.database.instance_identifier }
        statistic = "Maximum", threshold = floor(var.database.max_connections * var.thresholds.database_connections_percent / 100), comparison = "GreaterThanThreshold", minutes = 3
      }
      database-processor = {
        guards    = []
        about     = "The database's processor is busy. Take a larger instance_class."
        namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = { DBInstanceIdentifier = var.database.instance_identifier }
        statistic = "Average", threshold = var.thresholds.database_processor_percent, comparison = "GreaterThanThreshold", minutes = 10
      }
      database-storage = {
        guards    = []
        about     = "The database runs out of storage. Raise max_storage_gib."
        namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = { DBInstanceIdentifier = var.database.instance_identifier }
        statistic = "Minimum", threshold = var.thresholds.database_free_storage_bytes, comparison = "LessThanThreshold", minutes = 5
      }
      database-memory = {
        guards    = []
        about     = "The database runs out of memory. Take a larger instance_class."
        namespace = "AWS/RDS", metric = "FreeableMemory", dimensions = { DBInstanceIdentifier = var.database.instance_identifier }
        statistic = "Minimum", threshold = var.thresholds.database_freeable_memory_bytes, comparison = "LessThanThreshold", minutes = 10
      }
      cache-left-alone = {
        guards    = ["I12"]
        about     = "Functions don't reach the cache and compute everything. Answers are right, only slower; the database works more."
        namespace = local.own_namespace, metric = local.cache_metric, dimensions = {}
        statistic = "Sum", threshold = 0, comparison = "GreaterThanThreshold", minutes = 5
      }
      failed-logins = {
        guards    = []
        about     = "Many logins fail: somebody guesses passwords, or a client keeps an old one."
        namespace = local.own_namespace, metric = aws_cloudwatch_log_metric_filter.failed_logins.metric_transformation[0].name, dimensions = {}
        statistic = "Sum", threshold = var.thresholds.failed_logins_per_minute, comparison = "GreaterThanThreshold", minutes = 5
      }
      firewall-blocks = {
        guards    = []
        about     = "The firewall blocks many requests: an attack, or a rule that rejects residents."
        namespace = "AWS/WAFV2", metric = "BlockedRequests", dimensions = { WebACL = var.web_acl_name, Region = data.aws_region.this.name, Rule = "ALL" }
        statistic = "Sum", threshold = var.thresholds.blocked_requests_per_minute, comparison = "GreaterThanThreshold", minutes = 5
      }
      ledger-differs = {
        guards    = ["I1", "I2", "I3", "I8"]
        about     = "Reconciling found payments, lines and bills that don't agree. Stop imports and look at the answer of reconcile."
        namespace = local.own_namespace, metric = aws_cloudwatch_log_metric_filter.ledger_differs.metric_transformation[0].name, dimensions = {}
        statistic = "Sum", threshold = 0, comparison = "GreaterThanThreshold", minutes = 1
      }
    },
  )

  own_namespace = "UtilitiesBilling/${var.prefix}"
  cache_metric  = "CacheLeftAlone"

  # "I5 request_answered: " before what to do.
  promises = {
    for name, alarm in local.alarms : name => length(alarm.guards) == 0 ? "" : format(
      "%s: ", join(", ", [for key in alarm.guards : "${key} ${var.invariants[key].name}"])
    )
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = "${local.promises[each.key]}${each.value.about}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  # Silence is good news: nobody asked, nothing failed.
  treat_missing_data = "notBreaching"
  alarm_actions      = [aws_sns_topic.alarms.arn]
  ok_actions         = [aws_sns_topic.alarms.arn]
}

# What runs by a schedule and is not called any more fails nowhere.
resource "aws_cloudwatch_metric_alarm" "silence" {
  for_each = { reconcile = 26, sweep = 1 }

  alarm_name          = "${var.prefix}-silence-${each.key}"
  alarm_description   = "Function ${each.key} was not called for ${each.value} h. Look at the rule that calls it."
  namespace           = "AWS/Lambda"
  metric_name         = "Invocations"
  dimensions          = { FunctionName = "${var.prefix}-${each.key}" }
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 3600
  evaluation_periods  = each.value
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_log_metric_filter" "ledger_differs" {
  name           = "${var.prefix}-ledger-differs"
  log_group_name = var.reconcile_log_group_name
  pattern        = "{ $.operation = \"reconcile\" && $.code = \"ledger_differs\" }"

  metric_transformation {
    namespace = local.own_namespace
    name      = "LedgerDiffers"
    value     = "1"
  }
}

resource "aws_cloudwatch_log_metric_filter" "failed_logins" {
  name           = "${var.prefix}-failed-logins"
  log_group_name = var.auth_log_group_name
  pattern        = "{ $.operation = \"auth\" && $.code = \"invalid_credentials\" }"

  metric_transformation {
    namespace = local.own_namespace
    name      = "FailedLogins"
    value     = "1"
  }
}

resource "aws_cloudwatch_log_metric_filter" "cache_left_alone" {
  for_each = var.cache_log_group_names

  name           = "${var.prefix}-cache-left-alone-${each.key}"
  log_group_name = each.value
  pattern        = "{ $.logger = \"billing_app.adapters.redis_cache\" && $.message = \"cache left alone for a while\" }"

  metric_transformation {
    namespace = local.own_namespace
    name      = local.cache_metric
    value     = "1"
  }
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.prefix}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "AlarmsOfThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}
