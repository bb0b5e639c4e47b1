# Request queues, one per operation, and their dead-letter queues.
#
# Encryption is SQS's own (SSE-SQS) and not a customer key: it needs no KMS permission on either side of
# a queue, no request to KMS on the way of a payment, and the reply queues, which functions make, have it too.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  with_dead_letters = { for operation, queue in var.queues : operation => queue if queue.dead_letters }
}

resource "aws_sqs_queue" "request" {
  for_each = var.queues

  name                       = "${var.prefix}-${each.key}"
  visibility_timeout_seconds = var.visibility_timeouts * each.value.function_timeout_seconds
  message_retention_seconds  = each.value.retention_seconds
  sqs_managed_sse_enabled    = true
}

resource "aws_sqs_queue" "dead_letter" {
  for_each = local.with_dead_letters

  name                      = "${var.prefix}-${each.key}-dlq"
  message_retention_seconds = var.dead_letter_retention_seconds
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_redrive_policy" "request" {
  for_each = local.with_dead_letters

  queue_url = aws_sqs_queue.request[each.key].url
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter[each.key].arn
    maxReceiveCount     = var.max_receive_count
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letter" {
  for_each = local.with_dead_letters

  queue_url = aws_sqs_queue.dead_letter[each.key].url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.request[each.key].arn]
  })
}

data "aws_iam_policy_document" "request" {
  for_each = var.queues

  source_policy_documents = [data.aws_iam_policy_document.tls_only[each.key].json]

  # Attributes of a request say who asks, and are believed: only the gateway writes them. Redriven requests
  # keep theirs.
  statement {
    sid       = "OnlyTheGatewaySends"
    effect    = "Deny"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.request[each.key].arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = concat([var.gateway_role_arn], each.value.dead_letters ? [aws_iam_role.redrive.arn] : [])
    }
  }

  # Requests hold passwords and who pays what.
  statement {
    sid       = "OnlyItsFunctionReads"
    effect    = "Deny"
    actions   = ["sqs:ReceiveMessage"]
    resources = [aws_sqs_queue.request[each.key].arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = [var.consumer_role_arns[each.key]]
    }
  }
}

data "aws_iam_policy_document" "tls_only" {
  for_each = merge(
    { for operation, queue in aws_sqs_queue.request : operation => queue.arn },
    { for operation, queue in aws_sqs_queue.dead_letter : "${operation}-dlq" => queue.arn },
  )

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value]

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

resource "aws_sqs_queue_policy" "request" {
  for_each = var.queues

  queue_url = aws_sqs_queue.request[each.key].url
  policy    = data.aws_iam_policy_document.request[each.key].json
}

resource "aws_sqs_queue_policy" "dead_letter" {
  for_each = local.with_dead_letters

  queue_url = aws_sqs_queue.dead_letter[each.key].url
  policy    = data.aws_iam_policy_document.tls_only["${each.key}-dlq"].json
}

# What an operator assumes to put dead letters back: SQS moves them with the operator's permissions, and
# nobody else may send to a request queue.

resource "aws_iam_role" "redrive" {
  name                 = "${var.prefix}-redrive"
  description          = "Puts dead letters back into the request queues of ${var.prefix}"
  assume_role_policy   = data.aws_iam_policy_document.redrive_trust.json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "redrive_trust" {
  statement {
    sid     = "WhoeverThisAccountAllows"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:root"]
    }
  }
}

data "aws_iam_policy_document" "redrive" {
  statement {
    sid = "TakeDeadLetters"
    actions = [
      "sqs:CancelMessageMoveTask",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl",
      "sqs:ListMessageMoveTasks",
      "sqs:ReceiveMessage",
      "sqs:StartMessageMoveTask",
    ]
    resources = [for queue in aws_sqs_queue.dead_letter : queue.arn]
  }

  statement {
    sid       = "PutThemBack"
    actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"]
    resources = [for operation in keys(local.with_dead_letters) : aws_sqs_queue.request[operation].arn]
  }
}

resource "aws_iam_role_policy" "redrive" {
  name   = "redrive"
  role   = aws_iam_role.redrive.id
  policy = data.aws_iam_policy_document.redrive.json
}
