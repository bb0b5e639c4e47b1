mock_provider "aws" {
  source = "../../tests/mocks"
}

# Sizes and timeouts are those of service.json, which lies beside the root.
variables {
  prefix             = "bill-test"
  functions          = jsondecode(file("../../service.json")).functions
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_id  = "sg-1"
  kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  max_receive_count  = 3
  cache_secret_arn   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cache"
  migration_triggers = { passwords = "1" }
  time_zone          = "Europe/Kyiv"

  request_queue_arns = {
    for operation in keys(jsondecode(file("../../service.json")).queues.requests) :
    operation => "arn:aws:sqs:eu-central-1:123456789012:bill-test-${operation}"
  }

  request_queue_urls = {
    for operation in keys(jsondecode(file("../../service.json")).queues.requests) :
    operation => "https://sqs.eu-central-1.amazonaws.com/123456789012/bill-test-${operation}"
  }

  gateway_role_arn = "arn:aws:iam::123456789012:role/bill-test-gateway"

  database = { host = "proxy.internal", instance_host = "db.internal", port = 5432, name = "billing" }

  role_secret_arns = {
    writer   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:writer"
    reader   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader"
    operator = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:operator"
    migrator = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:migrator"
  }

  user_pool = {
    arn       = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEfGhI"
    id        = "eu-central-1_AbCdEfGhI"
    client_id = "client"
  }
}

run "each_function_has_its_own_role_log_and_secrets" {
  assert {
    condition     = toset(keys(local.deployed)) == toset(keys(var.functions)) && toset(keys(output.role_arns)) == toset(keys(var.functions))
    error_message = "service.json and the package must name the same functions."
  }

  assert {
    condition     = alltrue([for name, function in local.deployed : function.function_name == "bill-test-${name}" && aws_iam_role.function[name].name == "bill-test-${name}" && function.logging_config[0].log_group == "/aws/lambda/bill-test-${name}"])
    error_message = "Functions, roles and logs are called <prefix>-<name>."
  }

  assert {
    condition = alltrue([
      for name, document in data.aws_iam_policy_document.secrets :
      document.statement[0].resources == toset(values(local.secrets[name])) && document.statement[1].resources == toset([var.kms_key_arn])
    ])
    error_message = "A function reads its own secrets alone."
  }

  assert {
    condition = alltrue([
      for name, secrets in {
        payments     = [var.role_secret_arns.writer]
        histories    = [var.role_secret_arns.reader, var.cache_secret_arn]
        import_bills = [var.role_secret_arns.operator]
        migrate      = values(var.role_secret_arns)
      } : toset(values(local.secrets[name])) == toset(secrets)
    ])
    error_message = "Each function has the secret of its role in the database, the migration all four."
  }

  assert {
    condition     = [for name, secrets in local.secrets : name if contains(values(secrets), var.role_secret_arns.migrator)] == ["migrate"]
    error_message = "Only the migration may be the database's owner."
  }
}

run "a_role_is_that_of_its_function_and_has_its_permissions" {
  variables {
    cache_connect_arns = ["arn:aws:elasticache:eu-central-1:123456789012:user:bill-test"]
  }

  override_data {
    target = data.aws_iam_policy_document.users
    values = { json = "{\"Id\":\"users\"}" }
  }

  override_data {
    target = data.aws_iam_policy_document.sweep
    values = { json = "{\"Id\":\"sweep\"}" }
  }

  override_data {
    target = data.aws_iam_policy_document.cache
    values = { json = "{\"Id\":\"cache\"}" }
  }

  assert {
    condition     = one(one(data.aws_iam_policy_document.trust.statement).principals) == { type = "Service", identifiers = toset(["lambda.amazonaws.com"]) }
    error_message = "Only Lambda may act in these roles."
  }

  assert {
    condition = {
      for id in ["users", "sweep", "cache"] : id => [
        for name, document in data.aws_iam_policy_document.function : name if contains(document.source_policy_documents, jsonencode({ Id = id }))
      ]
      } == {
      users = ["admin_users"]
      sweep = ["sweep"]
      cache = [for name, function in var.functions : name if function.cache]
    }
    error_message = "Only admin_users keeps logins, only sweep deletes queues, and only who uses the cache logs in there."
  }

  assert {
    condition = alltrue([
      for document in data.aws_iam_policy_document.requests : { for statement in document.statement : statement.sid => statement.actions } == {
        ReadRequests            = toset(["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"])
        PutRequestsOff          = toset(["sqs:ChangeMessageVisibility"])
        MakeReplyQueuesAndReply = toset(["sqs:CreateQueue", "sqs:GetQueueUrl", "sqs:SendMessage", "sqs:SetQueueAttributes", "sqs:TagQueue"])
      }
    ])
    error_message = "A function must not read replies, nor send requests."
  }

  assert {
    condition = { for statement in data.aws_iam_policy_document.sweep.statement : statement.sid => [statement.actions, statement.resources] } == {
      RemoveReplyQueues = [
        toset(["sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"]),
        toset([for kind in ["login", "r"] : "arn:aws:sqs:eu-central-1:123456789012:bill-test-${kind}-*"]),
      ]
      LookForOrphans = [toset(["sqs:ListQueues"]), toset(["*"])]
    }
    error_message = "The sweeper must neither read replies nor reach other queues."
  }

  assert {
    condition     = data.aws_iam_policy_document.cache.statement[0].resources == toset(var.cache_connect_arns)
    error_message = "Functions log in to this deployment's cache alone."
  }

  assert {
    condition = alltrue([
      for name, document in data.aws_iam_policy_document.runtime : alltrue([
        document.statement[3].effect == "Deny",
        document.statement[3].actions == document.statement[2].actions,
        one(document.statement[3].condition).values == tolist(["arn:aws:lambda:eu-central-1:123456789012:function:bill-test-${name}"]),
      ])
    ])
    error_message = "The code of a function must not touch the network."
  }

  assert {
    condition = alltrue([
      for name, document in data.aws_iam_policy_document.secrets : {
        for condition in document.statement[1].condition : condition.variable => [condition.test, toset(condition.values)]
        } == {
        "kms:ViaService"                  = ["StringEquals", toset(["secretsmanager.eu-central-1.amazonaws.com"])]
        "kms:EncryptionContext:SecretARN" = ["StringEquals", toset(values(local.secrets[name]))]
      }
    ])
    error_message = "The key must decrypt a function's own secrets, and nothing else that it encrypted."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.function : group.kms_key_id == var.kms_key_arn && group.retention_in_days == 365])
    error_message = "Logs must be encrypted with the stage's key and end some day."
  }
}

run "roles_have_no_star_but_where_aws_knows_no_resource" {
  assert {
    condition = alltrue([
      for statement in flatten([
        for document in concat(
          values(data.aws_iam_policy_document.runtime), values(data.aws_iam_policy_document.requests),
          [data.aws_iam_policy_document.users, data.aws_iam_policy_document.sweep]
        ) : document.statement
        ]) : alltrue([
        !contains(statement.resources, "*") || contains(["Trace", "BeTiedToTheNetwork", "ButNotTieItself", "LookForOrphans"], statement.sid),
        !strcontains(join(" ", statement.actions), "*"),
      ])
    ])
    error_message = "Name the resources and actions of every permission."
  }
}

run "one_function_alone_manages_logins_by_five_calls_of_this_pool" {
  assert {
    condition     = local.user_functions == ["admin_users"]
    error_message = "Only admin_users may change logins."
  }

  assert {
    condition = one(data.aws_iam_policy_document.users.statement).actions == toset([
      "cognito-idp:AdminCreateUser", "cognito-idp:AdminDisableUser", "cognito-idp:AdminGetUser",
      "cognito-idp:AdminSetUserPassword", "cognito-idp:AdminUserGlobalSignOut",
    ])
    error_message = "No other call of the user pool is needed."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.users.statement).resources == toset([var.user_pool.arn])
    error_message = "Logins are kept in this deployment's pool alone."
  }
}

run "a_function_reads_its_own_queue_and_answers_in_its_own_kind_of_reply_queue" {
  assert {
    condition = { for name, document in data.aws_iam_policy_document.requests : name => [for statement in document.statement : statement.resources] } == {
      for name, arn in var.request_queue_arns : name => [
        toset([arn]),
        toset([arn]),
        toset(["arn:aws:sqs:eu-central-1:123456789012:bill-test-${name == "auth" ? "login" : "r"}-*"]),
      ]
    }
    error_message = "A function reads the queue of its operation; logins answer in login queues, everybody else in residents' queues."
  }

  assert {
    condition     = alltrue([for mapping in local.mappings : mapping.function_response_types == toset(["ReportBatchItemFailures"])])
    error_message = "Each record of a batch must stand alone."
  }

  assert {
    condition = {
      for name, mapping in local.mappings : name => [mapping.event_source_arn, mapping.batch_size, mapping.scaling_config[0].maximum_concurrency]
      } == {
      for name, arn in var.request_queue_arns : name => [arn, var.functions[name].batch_size, var.functions[name].concurrency]
    }
    error_message = "Each function is fed from its queue, in its batches, no more at once than said."
  }
}

run "replies_go_over_tls_come_from_the_functions_and_are_the_gateways" {
  assert {
    condition = alltrue([
      for statement in flatten([for document in values(data.aws_iam_policy_document.reply_queue) : document.statement]) :
      statement.effect == "Deny" && statement.resources == toset(["*"]) && one(statement.principals).identifiers == toset(["*"])
    ])
    error_message = "The policy of a reply queue lets nobody in, and binds everybody."
  }

  assert {
    condition = {
      for kind, document in data.aws_iam_policy_document.reply_queue : kind => [
        for statement in document.statement : [one(statement.condition).test, one(statement.condition).variable, toset(statement.actions), toset(one(statement.condition).values)]
      ]
      } == {
      for kind, senders in { login = ["auth"], r = ["histories", "payments", "utils"] } : kind => [
        ["Bool", "aws:SecureTransport", toset(["sqs:*"]), toset(["false"])],
        ["ArnNotEquals", "aws:PrincipalArn", toset(["sqs:SendMessage"]), toset([for name in senders : aws_iam_role.function[name].arn])],
        ["ArnNotEquals", "aws:PrincipalArn", toset(["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"]), toset([var.gateway_role_arn])],
      ]
    }
    error_message = "Only over TLS; only the functions of its kind send; only the gateway reads and removes."
  }
}

run "environments_say_where_things_are_and_hold_no_secret" {
  # The migration goes past a proxy, everybody else through it: the proxy rejects settings.
  assert {
    condition = { for name in ["payments", "migrate"] : name => [local.environments[name].DATABASE_HOST, local.environments[name].DATABASE_POOLED] } == {
      payments = ["proxy.internal", "true"]
      migrate  = ["db.internal", "false"]
    }
    error_message = "The migration must connect to the server itself, everybody else to the proxy."
  }

  assert {
    condition     = alltrue([for environment in values(local.environments) : environment.DATABASE_SSLMODE == "verify-full" && environment.BILLING_PREFIX == "bill-test"])
    error_message = "Every connection to the database is verified."
  }

  assert {
    condition     = !strcontains(join(" ", flatten([for environment in values(local.environments) : keys(environment)])), "PASSWORD")
    error_message = "Secrets are looked up, never handed over."
  }

  assert {
    condition = alltrue([
      local.environments["migrate"].WRITER_SECRET_ID == var.role_secret_arns.writer,
      local.environments["auth"].USER_POOL_CLIENT_ID == "client",
      local.environments["auth"].MAX_RECEIVE_COUNT == "3",
      local.environments["utils"].REQUEST_QUEUE_URL == var.request_queue_urls.utils,
      can(local.environments["utils"].REPLY_QUEUE_POLICY) && !can(local.environments["sweep"].REPLY_QUEUE_POLICY),
      local.environments["reconcile"].USER_POOL_ID == "eu-central-1_AbCdEfGhI",
    ])
    error_message = "Each function gets what its settings ask for."
  }

  assert {
    condition     = { for name, environment in local.environments : name => environment.BILLING_TIME_ZONE if can(environment.BILLING_TIME_ZONE) } == { migrate = "Europe/Kyiv" }
    error_message = "The migration alone knows the time zone: the others ask the database."
  }
}

run "a_new_package_password_or_time_zone_migrates_before_new_code_runs" {
  assert {
    condition = alltrue([
      aws_lambda_invocation.migrate.triggers == tomap({ package = output.package_sha256, passwords = "1", time_zone = "Europe/Kyiv" }),
      aws_lambda_invocation.migrate.function_name == "bill-test-migrate",
    ])
    error_message = "The migration must run when the package, a password or the time zone changes."
  }

  assert {
    condition = alltrue([
      aws_cloudwatch_event_target.reconcile.arn == aws_lambda_function.reconcile.arn,
      jsondecode(aws_cloudwatch_event_target.reconcile.input) == { scheduled = true },
      aws_lambda_permission.reconcile.principal == "events.amazonaws.com",
      aws_lambda_permission.reconcile.source_arn == aws_cloudwatch_event_rule.reconcile.arn,
    ])
    error_message = "Every night reconciles, by this rule and nobody else, and fails unless everything agrees."
  }

  assert {
    condition     = alltrue([for name, function in local.deployed : function.reserved_concurrent_executions == var.functions[name].concurrency && function.memory_size == var.functions[name].memory_mib && function.timeout == var.functions[name].timeout_seconds])
    error_message = "Each function has the size that the map says."
  }
}

run "a_migration_that_fails_stops_the_apply" {
  # A state of its own, in which the migration has not run yet.
  state_key = "failing"

  override_resource {
    target = aws_lambda_invocation.migrate
    values = { result = "{\"errorMessage\":\"No connection\"}" }
  }

  expect_failures = [aws_lambda_invocation.migrate]
}

run "a_new_account_can_leave_concurrency_unreserved" {
  command = plan

  variables {
    reserve_concurrency = false
  }

  assert {
    condition     = alltrue([for limit in values(local.reserved_concurrency) : limit == -1])
    error_message = "Nothing may be reserved then."
  }
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    log_level          = "TRACE"
    reconcile_schedule = "every night"
    time_zone          = "GMT+3"
    # Memory that lambda does not offer.
    functions = merge(var.functions, { sweep = merge(var.functions.sweep, { memory_mib = 64 }) })
  }

  expect_failures = [var.log_level, var.reconcile_schedule, var.time_zone, var.functions]
}

run "a_timeout_that_lambda_does_not_offer_is_rejected" {
  command = plan

  variables {
    functions = merge(var.functions, { sweep = merge(var.functions.sweep, { timeout_seconds = 1000 }) })
  }

  expect_failures = [var.functions]
}

run "a_role_that_the_database_does_not_know_is_rejected" {
  command = plan

  variables {
    functions = merge(var.functions, { sweep = merge(var.functions.sweep, { database_role = "owner" }) })
  }

  expect_failures = [var.functions]
}

run "one_copy_of_a_function_that_reads_a_queue_is_rejected" {
  command = plan

  variables {
    functions = merge(var.functions, { payments = merge(var.functions.payments, { concurrency = 1 }) })
  }

  expect_failures = [var.functions]
}

run "a_batch_that_would_wait_for_messages_is_rejected" {
  command = plan

  variables {
    functions = merge(var.functions, { utils = merge(var.functions.utils, { batch_size = 11, timeout_seconds = 900 }) })
  }

  expect_failures = [var.functions]
}

run "a_batch_that_does_not_fit_into_the_timeout_is_rejected" {
  command = plan

  variables {
    functions = merge(var.functions, { utils = merge(var.functions.utils, { batch_size = 3 }) })
  }

  expect_failures = [var.functions]
}
