mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  prefix           = "bill-test"
  gateway_role_arn = "arn:aws:iam::123456789012:role/bill-test-gateway"

  queues = {
    auth     = { function_timeout_seconds = 9, retention_seconds = 120, dead_letters = false }
    payments = { function_timeout_seconds = 20, retention_seconds = 345600, dead_letters = true }
  }

  consumer_role_arns = {
    auth     = "arn:aws:iam::123456789012:role/bill-test-auth"
    payments = "arn:aws:iam::123456789012:role/bill-test-payments"
  }
}

run "queues_are_named_by_operation_and_hide_a_request_for_six_timeouts" {
  assert {
    condition     = aws_sqs_queue.request["auth"].visibility_timeout_seconds == 54 && aws_sqs_queue.request["payments"].visibility_timeout_seconds == 120
    error_message = "Visibility must be six times the function's timeout."
  }

  assert {
    condition     = output.request_queue_names == { auth = "bill-test-auth", payments = "bill-test-payments" } && output.dead_letter_queue_names == { payments = "bill-test-payments-dlq" }
    error_message = "The contract sends to <prefix>-<operation>, whose dead-letter queue is called after it."
  }
}

run "passwords_are_encrypted_kept_two_minutes_and_never_a_dead_letter" {
  assert {
    condition     = alltrue([for queue in concat(values(aws_sqs_queue.request), values(aws_sqs_queue.dead_letter)) : queue.sqs_managed_sse_enabled])
    error_message = "Requests hold passwords and names: encrypt every queue."
  }

  assert {
    condition = alltrue([
      keys(aws_sqs_queue.dead_letter) == ["payments"],
      keys(aws_sqs_queue_redrive_policy.request) == ["payments"],
      aws_sqs_queue.request["auth"].message_retention_seconds == 120,
      # A dead letter's age counts from when its request was sent.
      aws_sqs_queue.dead_letter["payments"].message_retention_seconds == 1209600,
    ])
    error_message = "A password is kept two minutes at most and never in a dead-letter queue, a dead letter for two weeks."
  }
}

run "dead_letters_go_from_each_queue_to_its_own_and_from_no_other" {
  assert {
    condition = alltrue([
      jsondecode(aws_sqs_queue_redrive_policy.request["payments"].redrive_policy) == { deadLetterTargetArn = aws_sqs_queue.dead_letter["payments"].arn, maxReceiveCount = 3 },
      aws_sqs_queue_redrive_policy.request["payments"].queue_url == aws_sqs_queue.request["payments"].url,
    ])
    error_message = "Payments must go to the dead-letter queue of payments."
  }

  assert {
    condition = alltrue([
      jsondecode(aws_sqs_queue_redrive_allow_policy.dead_letter["payments"].redrive_allow_policy) == { redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.request["payments"].arn] },
      aws_sqs_queue_redrive_allow_policy.dead_letter["payments"].queue_url == aws_sqs_queue.dead_letter["payments"].url,
    ])
    error_message = "Only the request queue of payments may use it."
  }
}

run "only_the_gateway_sends_and_only_its_function_reads" {
  assert {
    condition = alltrue(flatten([
      for operation, document in data.aws_iam_policy_document.request : [
        for statement in document.statement : alltrue([
          statement.effect == "Deny",
          statement.resources == toset([aws_sqs_queue.request[operation].arn]),
          one(statement.principals) == { type = "*", identifiers = toset(["*"]) },
          one(statement.condition).test == "ArnNotEquals",
          one(statement.condition).variable == "aws:PrincipalArn",
        ])
      ]
    ]))
    error_message = "Each policy must deny, on its own queue and for everybody but a role."
  }

  assert {
    condition = alltrue([
      for document in values(data.aws_iam_policy_document.request) :
      [for statement in document.statement : one(statement.actions)] == ["sqs:SendMessage", "sqs:ReceiveMessage"]
    ])
    error_message = "A policy must deny to send first, and then to read."
  }

  assert {
    condition     = one(one(data.aws_iam_policy_document.redrive_trust.statement).principals) == { type = "AWS", identifiers = toset(["arn:aws:iam::123456789012:root"]) }
    error_message = "Only this account may redrive."
  }

  assert {
    condition = {
      for operation, document in data.aws_iam_policy_document.request : operation => [
        for statement in document.statement : toset(one(statement.condition).values)
      ]
      } == {
      auth     = [toset([var.gateway_role_arn]), toset([var.consumer_role_arns.auth])]
      payments = [toset([var.gateway_role_arn, aws_iam_role.redrive.arn]), toset([var.consumer_role_arns.payments])]
    }
    error_message = "Only the gateway sends logins, and payments whoever redrives, too; only the operation's function reads them."
  }

  # SQS moves messages with the permissions of who asks: to start, receive, delete and look there, and to send here.
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
  assert {
    condition     = length(setsubtract(["sqs:StartMessageMoveTask", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], data.aws_iam_policy_document.redrive.statement[0].actions)) == 0
    error_message = "Whoever redrives must be able to take dead letters."
  }

  assert {
    condition = [for statement in data.aws_iam_policy_document.redrive.statement : statement.resources] == [
      toset([aws_sqs_queue.dead_letter["payments"].arn]),
      toset([aws_sqs_queue.request["payments"].arn]),
    ]
    error_message = "Redriving must not reach logins."
  }

  assert {
    condition     = data.aws_iam_policy_document.redrive.statement[1].actions == toset(["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"])
    error_message = "Whoever redrives must not read requests."
  }
}

run "every_queue_rejects_calls_without_tls" {
  override_data {
    target = data.aws_iam_policy_document.tls_only["auth"]
    values = { json = "{\"Id\":\"auth\"}" }
  }

  override_data {
    target = data.aws_iam_policy_document.tls_only["payments"]
    values = { json = "{\"Id\":\"payments\"}" }
  }

  override_data {
    target = data.aws_iam_policy_document.tls_only["payments-dlq"]
    values = { json = "{\"Id\":\"payments-dlq\"}" }
  }

  assert {
    condition = alltrue([
      for statement in flatten([for document in data.aws_iam_policy_document.tls_only : document.statement]) : alltrue([
        statement.effect == "Deny",
        statement.actions == toset(["sqs:*"]),
        one(statement.principals) == { type = "*", identifiers = toset(["*"]) },
        one(statement.condition) == { test = "Bool", variable = "aws:SecureTransport", values = tolist(["false"]) },
      ])
    ])
    error_message = "Deny everybody what does not come over TLS."
  }

  assert {
    condition = { for operation, document in data.aws_iam_policy_document.request : operation => document.source_policy_documents } == {
      for operation in ["auth", "payments"] : operation => tolist([data.aws_iam_policy_document.tls_only[operation].json])
    }
    error_message = "The policy of a request queue must ask for TLS, too."
  }

  assert {
    condition = alltrue([
      aws_sqs_queue_policy.request["auth"].policy == data.aws_iam_policy_document.request["auth"].json,
      aws_sqs_queue_policy.dead_letter["payments"].policy == data.aws_iam_policy_document.tls_only["payments-dlq"].json,
    ])
    error_message = "Each queue must have its policy."
  }

  assert {
    condition = {
      for name, document in data.aws_iam_policy_document.tls_only : name => one(document.statement).resources
      } == {
      auth         = toset([aws_sqs_queue.request["auth"].arn])
      payments     = toset([aws_sqs_queue.request["payments"].arn])
      payments-dlq = toset([aws_sqs_queue.dead_letter["payments"].arn])
    }
    error_message = "Each policy must name its own queue."
  }

  assert {
    condition     = aws_sqs_queue_policy.request["auth"].queue_url == aws_sqs_queue.request["auth"].url && aws_sqs_queue_policy.dead_letter["payments"].queue_url == aws_sqs_queue.dead_letter["payments"].url
    error_message = "Each policy must stand on its own queue."
  }
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    visibility_timeouts = 5
    max_receive_count   = 0
  }

  expect_failures = [var.visibility_timeouts, var.max_receive_count]
}

run "dead_letters_that_expire_before_requests_and_queues_without_readers_are_rejected" {
  command = plan

  variables {
    dead_letter_retention_seconds = 345600
    consumer_role_arns            = { auth = "arn:aws:iam::123456789012:role/bill-test-auth" }
  }

  expect_failures = [var.dead_letter_retention_seconds, var.consumer_role_arns]
}

run "a_timeout_that_lambda_does_not_offer_is_rejected" {
  command = plan

  variables {
    queues = {
      payments = { function_timeout_seconds = 901, retention_seconds = 345600, dead_letters = true }
    }
  }

  expect_failures = [var.queues]
}

run "a_retention_that_sqs_does_not_know_is_rejected" {
  command = plan

  variables {
    max_receive_count = 1
    queues = {
      auth = { function_timeout_seconds = 5, retention_seconds = 30, dead_letters = false }
    }
  }

  expect_failures = [var.queues]
}

run "a_dead_letter_queue_for_passwords_is_rejected" {
  command = plan

  variables {
    queues = {
      auth = { function_timeout_seconds = 9, retention_seconds = 120, dead_letters = true }
    }
  }

  expect_failures = [var.queues]
}

run "a_retention_that_ends_before_the_last_receive_is_rejected" {
  command = plan

  variables {
    queues = {
      auth = { function_timeout_seconds = 10, retention_seconds = 120, dead_letters = false }
    }
  }

  expect_failures = [var.queues]
}
