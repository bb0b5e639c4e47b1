"""Bugs in what is deployed: queues, permissions, networks, storage, logs and alarms."""

from __future__ import annotations

# ruff: noqa: E501 - lines of Terraform are quoted whole
BUGS_IN_TERRAFORM = """
--- terraform/modules/queues/main.tf
caught by tests/terraform/test_terraform_configuration.py

requests_without_tls: I7 I11
caught by ::test_run[queues-every_queue_rejects_calls_without_tls]
-  source_policy_documents = [data.aws_iam_policy_document.tls_only[each.key].json]

anybody_sends_requests: I7
caught by ::test_run[queues-only_the_gateway_sends_and_only_its_function_reads]
     condition {
-      test     = "ArnNotEquals"
+      test     = "ArnEquals"
       variable = "aws:PrincipalArn"
       values   = concat([var.gateway_role_arn], each.value.dead_letters ? [aws_iam_role.redrive.arn] : [])

anybody_reads_requests: I7 I11
caught by ::test_run[queues-only_the_gateway_sends_and_only_its_function_reads]
-    actions   = ["sqs:ReceiveMessage"]
+    actions   = ["sqs:DeleteMessage"]
     resources = [aws_sqs_queue.request[each.key].arn]

dead_letters_end_with_their_requests: I5
caught by ::test_run[queues-passwords_are_encrypted_kept_two_minutes_and_never_a_dead_letter]
-  message_retention_seconds = var.dead_letter_retention_seconds
+  message_retention_seconds = each.value.retention_seconds

request_given_up_after_the_first_failure: I5
caught by ::test_run[queues-dead_letters_go_from_each_queue_to_its_own_and_from_no_other]
-    maxReceiveCount     = var.max_receive_count
+    maxReceiveCount     = 1

--- terraform/modules/functions/roles.tf
caught by tests/terraform/test_terraform_configuration.py

anybody_acts_as_a_function: I7
caught by ::test_run[functions-a_role_is_that_of_its_function_and_has_its_permissions]
-      type        = "Service"
-      identifiers = ["lambda.amazonaws.com"]
+      type        = "AWS"
+      identifiers = ["*"]

function_ties_itself_to_the_network: I7
caught by ::test_run[functions-a_role_is_that_of_its_function_and_has_its_permissions]
     sid    = "ButNotTieItself"
-    effect = "Deny"

sweeper_reads_replies: I7
caught by ::test_run[functions-a_role_is_that_of_its_function_and_has_its_permissions]
-    actions   = ["sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
+    actions   = ["sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]

each_operators_function_sets_passwords: I7
caught by ::test_run[functions-a_role_is_that_of_its_function_and_has_its_permissions]
-    contains(local.user_functions, each.key) ? data.aws_iam_policy_document.users.json : "",
+    contains(local.operator_functions, each.key) ? data.aws_iam_policy_document.users.json : "",

function_decrypts_any_secret: I7 I11
caught by ::test_run[functions-a_role_is_that_of_its_function_and_has_its_permissions]
-      test     = "StringEquals"
       variable = "kms:EncryptionContext:SecretARN"
-      values   = sort(values(local.secrets[each.key]))
+      test     = "StringLike"
+      values   = ["*"]

--- terraform/modules/functions/main.tf
caught by tests/terraform/test_terraform_configuration.py

anybody_invokes_reconcile: I11
caught by ::test_run[functions-a_new_package_password_or_time_zone_migrates_before_new_code_runs]
-  principal     = "events.amazonaws.com"
-  source_arn    = aws_cloudwatch_event_rule.reconcile.arn
+  principal     = "*"

nightly_check_never_fails: I1 I3 I8
caught by ::test_run[functions-a_new_package_password_or_time_zone_migrates_before_new_code_runs]
-  input     = jsonencode({ scheduled = true })
+  input     = jsonencode({})

--- terraform/modules/functions/reply_queues.tf
caught by tests/terraform/test_terraform_configuration.py

anybody_reads_replies: I7 I11
caught by ::test_run[functions-replies_go_over_tls_come_from_the_functions_and_are_the_gateways]
-    actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"]
+    actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:PurgeQueue"]

anybody_sends_replies: I7
caught by ::test_run[functions-replies_go_over_tls_come_from_the_functions_and_are_the_gateways]
-    sid       = "OnlyTheFunctionsSend"
-    effect    = "Deny"
+    sid       = "OnlyTheFunctionsSend"
+    effect    = "Allow"

--- terraform/modules/api/roles.tf
caught by tests/terraform/test_terraform_configuration.py

gateway_reads_requests: I7 I11
caught by ::test_run[api-the_gateway_puts_requests_and_takes_replies_and_nothing_else]
-    actions   = ["sqs:SendMessage"]
+    actions   = ["sqs:ReceiveMessage", "sqs:SendMessage"]

--- terraform/modules/api/main.tf
caught by tests/terraform/test_terraform_configuration.py

queue_names_in_the_access_log: I7 I11
caught by ::test_run[api-logs_hold_no_body_no_token_no_query_and_no_path]
-      resource           = "$context.resourcePath"
+      resource           = "$context.resourcePath"
+      address_of_reply   = "$context.path"

--- terraform/modules/api/firewall.tf
caught by tests/terraform/test_terraform_configuration.py

guessed_passwords_only_counted: I7
caught by ::test_run[api-the_firewall_counts_logins_by_address_under_every_stage]
       Priority = 0
-      Action   = { Block = {} }
+      Action   = { Count = {} }

receipts_in_the_firewalls_log: I7 I11
caught by ::test_run[api-logs_hold_no_body_no_token_no_query_and_no_path]
-    query_string {}
+    method {}

--- terraform/modules/network/endpoints.tf
caught by tests/terraform/test_terraform_configuration.py

anonymous_calls_of_all_of_cognito: I7
caught by ::test_run[network-an_endpoint_serves_only_this_stage_and_this_account]
-      Logins = { actions = ["cognito-idp:InitiateAuth", "cognito-idp:RespondToAuthChallenge"], resources = ["*"], anonymous = true }
+      Logins = { actions = ["cognito-idp:*"], resources = ["*"], anonymous = true }

--- terraform/modules/database/main.tf
caught by tests/terraform/test_terraform_configuration.py

database_is_public: I7
caught by ::test_run[database-only_the_functions_reach_the_database]
-  publicly_accessible    = false
+  publicly_accessible    = true

--- terraform/modules/observability/main.tf
caught by tests/terraform/test_terraform_configuration.py

ten_dead_letters_before_the_alarm: I5
caught by ::test_run[observability-an_alarm_rings_for_the_first_failure_and_for_what_lasts_too_long]
         namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = queue }
-        statistic = "Maximum", threshold = 0, comparison = "GreaterThanThreshold", minutes = 1
+        statistic = "Maximum", threshold = 10, comparison = "GreaterThanThreshold", minutes = 1

alarm_of_errors_upside_down: I5
caught by ::test_run[observability-an_alarm_rings_for_the_first_failure_and_for_what_lasts_too_long]
         namespace = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = function }
-        statistic = "Sum", threshold = 0, comparison = "GreaterThanThreshold", minutes = 1
+        statistic = "Sum", threshold = 0, comparison = "LessThanThreshold", minutes = 1

silence_of_the_nightly_check_is_good_news: I1 I3 I8
caught by ::test_run[observability-what_runs_by_a_schedule_rings_when_it_is_silent]
-  treat_missing_data  = "breaching"
+  treat_missing_data  = "notBreaching"

--- terraform/kms.tf
caught by tests/terraform/test_terraform_configuration.py

logs_of_any_account_use_the_key: I11
caught by ::test_run[root-everything_fits_together]
-      test     = "ArnLike"
+      test     = "ArnLikeIfExists"

--- terraform/service.json
caught by tests/unit/test_service_file.py

payments_without_dead_letters: I5
-      "payments": { "retention_seconds": 345600, "dead_letters": true }
+      "payments": { "retention_seconds": 345600, "dead_letters": false }
"""
