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

anybody_redrives: I7
caught by ::test_run[queues-only_the_gateway_sends_and_only_its_function_reads]
-      identifiers = ["arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:root"]
+      identifiers = ["*"]

dead_letters_end_with_their_requests: I5
caught by ::test_run[queues-passwords_are_encrypted_kept_two_minutes_and_never_a_dead_letter]
-  message_retention_seconds = var.dead_letter_retention_seconds
+  message_retention_seconds = each.value.retention_seconds

request_given_up_after_the_first_failure: I5
caught by ::test_run[queues-dead_letters_go_from_each_queue_to_its_own_and_from_no_other]
-    maxReceiveCount     = var.max_receive_count
+    maxReceiveCount     = 1

requests_rest_unencrypted: I11
caught by ::test_run[queues-passwords_are_encrypted_kept_two_minutes_and_never_a_dead_letter]
   message_retention_seconds  = each.value.retention_seconds
-  sqs_managed_sse_enabled    = true
+  sqs_managed_sse_enabled    = false

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
caught by ::test_run[functions-a_new_package_or_password_migrates_before_new_code_runs]
-  principal     = "events.amazonaws.com"
-  source_arn    = aws_cloudwatch_event_rule.reconcile.arn
+  principal     = "*"

nightly_check_never_fails: I1 I3 I8
caught by ::test_run[functions-a_new_package_or_password_migrates_before_new_code_runs]
-  input     = jsonencode({ scheduled = true })
+  input     = jsonencode({})

function_waits_for_one_more_receive: I5
caught by ::test_run[functions-environments_say_where_things_are_and_hold_no_secret]
-        MAX_RECEIVE_COUNT = tostring(var.max_receive_count)
+        MAX_RECEIVE_COUNT = "4"

new_code_runs_after_a_failed_migration: I3 I8
caught by ::test_run[functions-a_migration_that_fails_stops_the_apply]
-      condition     = try(jsondecode(self.result).status, "") == "done"
+      condition     = try(jsondecode(self.result).status, "done") == "done"

logs_of_functions_kept_unencrypted: I11
caught by ::test_run[functions-a_role_is_that_of_its_function_and_has_its_permissions]
-  kms_key_id        = var.kms_key_arn

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

anybody_acts_as_the_gateway: I7
caught by ::test_run[api-the_gateway_puts_requests_and_takes_replies_and_nothing_else]
-      type        = "Service"
-      identifiers = ["apigateway.amazonaws.com"]
+      type        = "AWS"
+      identifiers = ["*"]

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

--- terraform/modules/identity/main.tf
caught by tests/terraform/test_terraform_configuration.py

anybody_signs_up: I7
caught by ::test_run[identity-only_operators_make_logins_and_the_client_has_no_secret]
-    allow_admin_create_user_only = true
+    allow_admin_create_user_only = false

--- terraform/modules/network/endpoints.tf
caught by tests/terraform/test_terraform_configuration.py

anonymous_calls_of_all_of_cognito: I7
caught by ::test_run[network-an_endpoint_serves_only_this_stage_and_this_account]
-      Logins = { actions = ["cognito-idp:InitiateAuth", "cognito-idp:RespondToAuthChallenge"], resources = ["*"], anonymous = true }
+      Logins = { actions = ["cognito-idp:*"], resources = ["*"], anonymous = true }

endpoint_without_a_policy: I7
caught by ::test_run[network-an_endpoint_serves_only_this_stage_and_this_account]
-  policy              = data.aws_iam_policy_document.endpoint[each.value].json

--- terraform/modules/secrets/main.tf
caught by tests/terraform/test_terraform_configuration.py

secrets_without_tls: I7 I11
caught by ::test_run[secrets-no_secret_is_read_without_tls_or_by_the_public]
-    effect    = "Deny"
+    effect    = "Allow"

--- terraform/modules/database/main.tf
caught by tests/terraform/test_terraform_configuration.py

database_is_public: I7
caught by ::test_run[database-only_the_functions_reach_the_database]
-  publicly_accessible    = false
+  publicly_accessible    = true

backups_end_with_the_database: I4
caught by ::test_run[database-the_database_survives_a_zone_a_mistake_and_a_destroy]
-  delete_automated_backups  = false
+  delete_automated_backups  = true

--- terraform/modules/database/parameters.tf
caught by tests/terraform/test_terraform_configuration.py

statements_that_failed_in_the_log: I11
caught by ::test_run[database-the_log_of_the_server_holds_no_personal_data]
-    log_min_error_statement    = "panic"
+    log_min_error_statement    = "error"

--- terraform/modules/database/proxy.tf
caught by tests/terraform/test_terraform_configuration.py

--- terraform/modules/cache/users.tf
caught by tests/terraform/test_terraform_configuration.py

cache_user_may_do_everything: I9 I12
caught by ::test_run[cache-a_function_logs_in_by_its_role_and_can_only_read_and_write_results]
-  access = "on ~* -@all +get +set +ping +client|setinfo"
+  access = "on ~* +@all"

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

alarm_reaches_nobody: I5
caught by ::test_run[observability-each_failure_has_an_alarm]
   treat_missing_data = "notBreaching"
-  alarm_actions      = [aws_sns_topic.alarms.arn]

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
