mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }

  mock_resource "aws_vpc" {
    defaults = { id = "vpc-1" }
  }

  mock_resource "aws_security_group" {
    defaults = { id = "sg-1" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/bill-test-role" }
  }

  mock_resource "aws_cognito_user_pool" {
    defaults = { arn = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEfGhI" }
  }

  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bill-test" }
  }

  mock_resource "aws_db_instance" {
    defaults = {
      port               = 5432
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:master", secret_status = "active", kms_key_id = "key" }]
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:aws-waf-logs-bill-test" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:bill-test-function" }
  }

  mock_resource "aws_lambda_invocation" {
    defaults = { result = "{\"status\":\"done\"}" }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-central-1:123456789012:rule/bill-test-rule" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:bill-test-alarms" }
  }

  mock_resource "aws_api_gateway_stage" {
    defaults = { arn = "arn:aws:apigateway:eu-central-1::/restapis/abcde12345/stages/v1" }
  }

  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/bill-test/11111111-2222-3333-4444-555555555555" }
  }
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

run "one_map_scales_a_function_and_behind_a_proxy_there_may_be_more_copies" {
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

run "residents_log_in_as_service_json_says_unless_told_otherwise" {
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

run "the_gateway_throttles_as_service_json_says_unless_told_otherwise" {
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

run "more_copies_than_the_database_has_connections_are_rejected" {
  command = plan

  variables {
    functions = { payments = { concurrency = 180 } }
  }

  expect_failures = [output.function_connections]
}

run "a_prefix_a_region_and_a_function_that_can_not_be_are_rejected" {
  command = plan

  variables {
    prefix    = "bill-production"
    region    = "Frankfurt"
    functions = { refunds = { concurrency = 2 } }
  }

  expect_failures = [var.prefix, var.region, var.functions]
}
