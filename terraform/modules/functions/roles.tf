# One role per function, each with what its adapters call and nothing else (billing_app/adapters).
# Logging in (InitiateAuth) is a public call of Cognito, so `auth` needs no permission for it.

locals {
  queue_arn_prefix = "arn:${data.aws_partition.this.partition}:sqs:${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}:${var.prefix}"

  # The functions that change logins in the user pool.
  user_functions = ["admin_users"]

  # Reply queues are made by the functions that answer: auth those of logins, the others those of residents.
  reply_queue_kind = { for name in local.queue_functions : name => name == "auth" ? "login" : "r" }
  reply_queue_arn  = { for name, kind in local.reply_queue_kind : name => "${local.queue_arn_prefix}-${kind}-*" }
}

resource "aws_iam_role" "function" {
  for_each = var.functions

  name               = "${var.prefix}-${each.key}"
  description        = "Function ${each.key} of ${var.prefix}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "function" {
  for_each = var.functions

  name   = "function"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.function[each.key].json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "function" {
  for_each = var.functions

  source_policy_documents = compact([
    data.aws_iam_policy_document.runtime[each.key].json,
    data.aws_iam_policy_document.secrets[each.key].json,
    try(data.aws_iam_policy_document.requests[each.key].json, ""),
    each.key == "sweep" ? data.aws_iam_policy_document.sweep.json : "",
    contains(local.user_functions, each.key) ? data.aws_iam_policy_document.users.json : "",
    each.value.cache && length(var.cache_connect_arns) > 0 ? data.aws_iam_policy_document.cache.json : "",
  ])
}

data "aws_iam_policy_document" "runtime" {
  #checkov:skip=CKV_AWS_111:X-Ray and network interfaces know no resources; Lambda makes the interfaces, and the function's own code is denied them.

  for_each = var.functions

  statement {
    sid       = "WriteItsLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"]
  }

  # X-Ray and the describing calls of EC2 know no resources.
  statement {
    sid       = "Trace"
    actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    resources = ["*"]
  }

  # Lambda itself ties the function to the network, in the function's role.
  statement {
    sid = "BeTiedToTheNetwork"
    actions = [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:UnassignPrivateIpAddresses",
    ]
    resources = ["*"]
  }

  # The function's own code may not touch the network.
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice-security
  statement {
    sid    = "ButNotTieItself"
    effect = "Deny"
    actions = [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:UnassignPrivateIpAddresses",
    ]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = ["arn:${data.aws_partition.this.partition}:lambda:${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}:function:${var.prefix}-${each.key}"]
    }
  }
}

data "aws_iam_policy_document" "secrets" {
  for_each = var.functions

  statement {
    sid       = "ReadItsSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = sort(values(local.secrets[each.key]))
  }

  statement {
    sid       = "DecryptItsSecrets"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${data.aws_region.this.name}.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:SecretARN"
      values   = sort(values(local.secrets[each.key]))
    }
  }
}

data "aws_iam_policy_document" "requests" {
  for_each = var.request_queue_arns

  statement {
    sid       = "ReadRequests"
    actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    resources = [each.value]
  }

  # A request whose reply queue was deleted a moment ago comes back as soon as there can be another.
  statement {
    sid       = "PutRequestsOff"
    actions   = ["sqs:ChangeMessageVisibility"]
    resources = [each.value]
  }

  # One that exists with other attributes, as another package made it, gets those of this one.
  statement {
    sid       = "MakeReplyQueuesAndReply"
    actions   = ["sqs:CreateQueue", "sqs:GetQueueUrl", "sqs:SendMessage", "sqs:SetQueueAttributes", "sqs:TagQueue"]
    resources = [local.reply_queue_arn[each.key]]
  }
}

data "aws_iam_policy_document" "sweep" {
  statement {
    sid       = "RemoveReplyQueues"
    actions   = ["sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
    resources = ["${local.queue_arn_prefix}-login-*", "${local.queue_arn_prefix}-r-*"]
  }

  # Listing knows no resources; it gives names and nothing else.
  statement {
    sid       = "LookForOrphans"
    actions   = ["sqs:ListQueues"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "users" {
  statement {
    sid = "KeepLogins"
    actions = [
      "cognito-idp:AdminCreateUser",
      "cognito-idp:AdminDisableUser",
      "cognito-idp:AdminGetUser",
      "cognito-idp:AdminSetUserPassword",
      "cognito-idp:AdminUserGlobalSignOut",
    ]
    resources = [var.user_pool.arn]
  }
}

data "aws_iam_policy_document" "cache" {
  statement {
    sid       = "LogInToTheCache"
    actions   = ["elasticache:Connect"]
    resources = var.cache_connect_arns
  }
}
