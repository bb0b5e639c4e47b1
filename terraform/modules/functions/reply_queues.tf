# The policy of each reply queue, which functions make: as modules/queues has it for the request queues.
# It only denies, so it lets nobody in whom their own role doesn't.

data "aws_iam_policy_document" "reply_queue" {
  for_each = toset(values(local.reply_queue_kind))

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = ["*"]

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

  # The gateway hands on what lies there as it is.
  statement {
    sid       = "OnlyTheFunctionsSend"
    effect    = "Deny"
    actions   = ["sqs:SendMessage"]
    resources = ["*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = sort([for name, kind in local.reply_queue_kind : aws_iam_role.function[name].arn if kind == each.key])
    }
  }

  # Replies hold tokens, and who pays what.
  statement {
    sid       = "OnlyTheGatewayReadsAndRemoves"
    effect    = "Deny"
    actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"]
    resources = ["*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = [var.gateway_role_arn]
    }
  }
}
