# What the functions of the package stand on. The functions themselves, their event source mappings and the
# sweeper's schedule are in chalice.tf.json, which `make package` writes beside this file with deployment.zip.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  functions    = var.functions
  descriptions = { for name, function in var.functions : name => function.description }

  # A function that reads a queue is held to its concurrency by its mapping; reserving as much makes sure
  # that it also gets it.
  reserved_concurrency = { for name, function in var.functions : name => var.reserve_concurrency ? function.concurrency : -1 }

  queue_functions    = keys(var.request_queue_arns)
  operator_functions = [for name, function in var.functions : name if function.database_role == "operator"]

  # Every function has its own secret of the database, the migration those whose passwords it sets as well.
  secrets = {
    for name, function in var.functions : name => merge(
      { DATABASE_SECRET_ID = var.role_secret_arns[function.database_role] },
      function.cache ? { CACHE_SECRET_ID = var.cache_secret_arn } : {},
      function.database_role == "migrator" ? { for role in ["writer", "reader", "operator"] : "${upper(role)}_SECRET_ID" => var.role_secret_arns[role] } : {},
    )
  }

  # The migration goes past a proxy, which does not know the owner's secret.
  environments = {
    for name, function in var.functions : name => merge(
      local.secrets[name],
      {
        BILLING_PREFIX   = var.prefix
        LOG_LEVEL        = var.log_level
        DATABASE_HOST    = function.database_role == "migrator" ? var.database.instance_host : var.database.host
        DATABASE_PORT    = tostring(var.database.port)
        DATABASE_NAME    = var.database.name
        DATABASE_SSLMODE = var.database.sslmode
        DATABASE_POOLED  = tostring(function.database_role != "migrator" && var.database.host != var.database.instance_host)
      },
      contains(local.queue_functions, name) ? {
        MAX_RECEIVE_COUNT = tostring(var.max_receive_count)
        REQUEST_QUEUE_URL = var.request_queue_urls[name]
        # Without spaces: Lambda takes 4 KB of variables.
        REPLY_QUEUE_POLICY = jsonencode(jsondecode(data.aws_iam_policy_document.reply_queue[local.reply_queue_kind[name]].json))
      } : {},
      name == "auth" ? { USER_POOL_CLIENT_ID = var.user_pool.client_id } : {},
      name == "migrate" ? { BILLING_TIME_ZONE = var.time_zone } : {},
      contains(local.operator_functions, name) ? { USER_POOL_ID = var.user_pool.id } : {},
    )
  }
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = var.functions

  name              = "/aws/lambda/${var.prefix}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# Migrations run when the package or the time zone changes, after the function that migrates was updated and before any other
# one is: chalice.tf.json lets those depend on this. So a migration must suit the code that ran before it.
resource "aws_lambda_invocation" "migrate" {
  function_name = aws_lambda_function.migrate.function_name
  input         = jsonencode({})
  triggers      = merge(var.migration_triggers, { package = filebase64sha256("${path.module}/deployment.zip"), time_zone = var.time_zone })

  lifecycle {
    postcondition {
      condition     = try(jsondecode(self.result).status, "") == "done"
      error_message = "The migration failed. Its log group says why; fix it and apply again."
    }
  }
}

# The ledger is reconciled every night, in as many runs as it takes. One fails unless everything that
# it saw agrees.

resource "aws_cloudwatch_event_rule" "reconcile" {
  name                = "${var.prefix}-reconcile"
  description         = "Runs reconcile of ${var.prefix}"
  schedule_expression = var.reconcile_schedule
}

resource "aws_cloudwatch_event_target" "reconcile" {
  rule      = aws_cloudwatch_event_rule.reconcile.name
  target_id = "reconcile"
  arn       = aws_lambda_function.reconcile.arn
  input     = jsonencode({ scheduled = true })
}

resource "aws_lambda_permission" "reconcile" {
  function_name = aws_lambda_function.reconcile.function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.reconcile.arn
}
