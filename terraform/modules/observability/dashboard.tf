# One page: is the service used, is it quick, does anything fail, what fills up.

locals {
  # Each picture: its title, its statistic, and its metrics as CloudWatch writes them.
  pictures = [
    {
      title = "Requests and rejections", statistic = "Sum"
      metrics = [
        ["AWS/ApiGateway", "Count", "ApiName", var.api.name, "Stage", var.api.stage],
        ["AWS/ApiGateway", "4XXError", "ApiName", var.api.name, "Stage", var.api.stage],
        ["AWS/ApiGateway", "5XXError", "ApiName", var.api.name, "Stage", var.api.stage],
      ]
    },
    {
      title = "Accepting a request, 95th percentile (ms)", statistic = "p95"
      metrics = [
        for resource in values(var.api.post_resources) :
        ["AWS/ApiGateway", "Latency", "ApiName", var.api.name, "Stage", var.api.stage, "Resource", resource, "Method", "POST"]
      ]
    },
    {
      title   = "Oldest request (s)", statistic = "Maximum"
      metrics = [for queue in values(var.request_queue_names) : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue]]
    },
    {
      # Callers whom SQS serves after all others, because they keep the functions busy.
      title   = "Noisy callers", statistic = "Maximum"
      metrics = [for queue in values(var.request_queue_names) : ["AWS/SQS", "ApproximateNumberOfNoisyGroups", "QueueName", queue]]
    },
    {
      title   = "Dead letters", statistic = "Maximum"
      metrics = [for queue in values(var.dead_letter_queue_names) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue]]
    },
    {
      title   = "Functions: at once", statistic = "Maximum"
      metrics = [for name in keys(var.function_timeouts_seconds) : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", var.function_names[name]]]
    },
    {
      title   = "Functions: duration, 95th percentile (ms)", statistic = "p95"
      metrics = [for name in keys(var.function_timeouts_seconds) : ["AWS/Lambda", "Duration", "FunctionName", var.function_names[name]]]
    },
    {
      title   = "Functions: errors", statistic = "Sum"
      metrics = [for function in values(var.function_names) : ["AWS/Lambda", "Errors", "FunctionName", function]]
    },
    {
      title = "Database", statistic = "Maximum"
      metrics = [
        ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", var.database.instance_identifier],
        ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.database.instance_identifier],
      ]
    },
    {
      title   = "Cache: hits, misses, evictions", statistic = "Sum"
      metrics = [for pair in setproduct(["CacheHits", "CacheMisses", "Evictions"], var.cache_node_ids) : ["AWS/ElastiCache", pair[0], "CacheClusterId", pair[1]]]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.prefix
  dashboard_body = jsonencode({
    widgets = [
      for position, picture in local.pictures : {
        type   = "metric"
        x      = position % 2 * 12
        y      = floor(position / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = picture.title
          region  = data.aws_region.this.name
          stat    = picture.statistic
          period  = 60
          view    = "timeSeries"
          metrics = picture.metrics
        }
      }
    ]
  })
}
