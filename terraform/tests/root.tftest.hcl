mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  prefix = "bill-test"
  region = "eu-central-1"
}

run "everything_fits_together" {
  assert {
    condition     = toset(keys(output.request_queue_urls)) == toset(["auth", "utils", "histories", "payments"]) && toset(keys(output.dead_letter_queue_arns)) == toset(["utils", "histories", "payments"])
    error_message = "The four operations have their queues."
  }

  assert {
    condition     = output.function_names["payments"] == "bill-test-payments"
    error_message = "Functions are called <prefix>-<name>."
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key must be renewed every year."
  }
}

run "functions_scale_by_one_map_and_further_behind_a_proxy" {
  command = plan

  variables {
    functions = { payments = { concurrency = 180, timeout_seconds = 25 } }
    database  = { proxy_enabled = true }
    network   = { zone_count = 3 }
  }

  assert {
    condition     = local.functions["payments"].concurrency == 180 && local.functions["payments"].memory_mib == local.service.functions.payments.memory_mib && local.functions["utils"] == local.service.functions.utils
    error_message = "Only what is named changes."
  }

  assert {
    condition     = local.queues["payments"].function_timeout_seconds == 25
    error_message = "A queue's visibility follows its function's timeout."
  }

  assert {
    condition     = output.function_connections > var.database.max_connections
    error_message = "The proxy shares the connections."
  }
}

run "identity_settings_default_to_service_json" {
  command = plan

  variables {
    identity = { token_minutes = 30, password_minimum_length = 16 }
  }

  assert {
    condition     = local.identity.token_minutes == 30 && local.identity.password_minimum_length == 16
    error_message = "What is named changes."
  }

  assert {
    condition     = local.identity.refresh_token_days == local.service.identity.refresh_token_days && local.identity.password_kinds == local.service.identity.password_kinds
    error_message = "What is left out is as in service.json."
  }
}

run "throttles_default_to_service_json" {
  command = plan

  variables {
    api = { throttles = { posts = { rate = 10, burst = 20 } } }
  }

  assert {
    condition     = local.throttles.posts.rate == 10 && local.throttles.posts.burst == 20
    error_message = "What is named changes."
  }

  assert {
    condition     = local.throttles.polls == local.service.throttles.polls
    error_message = "What is left out is as in service.json."
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
