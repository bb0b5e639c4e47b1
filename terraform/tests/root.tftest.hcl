mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  prefix = "bill-test"
  region = "eu-central-1"
}

run "everything_fits_together" {
  assert {
    condition     = keys(output.request_queue_urls) == keys(local.service.queues.requests) && setsubtract(keys(local.service.queues.requests), keys(output.dead_letter_queue_arns)) == toset(["auth"])
    error_message = "Each operation has its queue, and each but a login a queue of dead letters."
  }

  assert {
    condition     = output.function_names["payments"] == "bill-test-payments"
    error_message = "Functions are called <prefix>-<name>."
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key must be renewed every year."
  }

  assert {
    condition = {
      for statement in data.aws_iam_policy_document.key.statement : statement.sid => concat(
        [for principal in statement.principals : "${principal.type} ${join(" ", principal.identifiers)}"],
        [for condition in statement.condition : "${condition.test} ${condition.variable} ${join(" ", condition.values)}"],
      )
      } == {
      ByIamPolicies = ["AWS arn:aws:iam::123456789012:root"]
      LogGroupsOfThisAccount = [
        "Service logs.eu-central-1.amazonaws.com",
        "ArnLike kms:EncryptionContext:aws:logs:arn arn:aws:logs:eu-central-1:123456789012:log-group:*",
      ]
      AlarmsOfThisAccount = ["Service cloudwatch.amazonaws.com", "StringEquals aws:SourceAccount 123456789012"]
    }
    error_message = "The key must serve this account, its log groups and its alarms, and nobody else."
  }
}

run "what_is_named_changes_and_the_rest_is_as_in_service_json" {
  command = plan

  variables {
    functions = { payments = { concurrency = 180, timeout_seconds = 25 } }
    database  = { proxy_enabled = true }
    network   = { zone_count = 3 }
    identity  = { token_minutes = 30, password_minimum_length = 16 }
    api       = { throttles = { posts = { rate = 10, burst = 20 } } }
  }

  assert {
    condition = local.functions == merge(local.service.functions, {
      payments = merge(local.service.functions.payments, { concurrency = 180, timeout_seconds = 25 })
    })
    error_message = "Only one function's concurrency and timeout may change."
  }

  assert {
    condition     = local.queues["payments"].function_timeout_seconds == 25
    error_message = "A queue's visibility follows its function's timeout."
  }

  assert {
    condition     = output.function_connections > var.database.max_connections
    error_message = "The proxy shares the connections."
  }

  assert {
    condition     = { for name in keys(local.service.identity) : name => local.identity[name] } == merge(local.service.identity, { token_minutes = 30, password_minimum_length = 16 })
    error_message = "Only the tokens' lifetime and the passwords' length may change."
  }

  assert {
    condition     = local.throttles == merge(local.service.throttles, { posts = { rate = 10, burst = 20 } })
    error_message = "Only the throttle of posts may change."
  }
}

run "more_function_copies_than_database_connections_are_rejected" {
  command = plan

  variables {
    functions = { payments = { concurrency = 180 } }
  }

  expect_failures = [output.function_connections]
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    prefix             = "bill-production"
    region             = "Frankfurt"
    functions          = { refunds = { concurrency = 2 } }
    log_retention_days = 7
  }

  expect_failures = [var.prefix, var.region, var.functions, var.log_retention_days]
}
