# The gateway's role: put requests, read and remove replies. Which reply queue, the mapping templates derive
# from the verified token.

locals {
  queue_arn_prefix = "arn:${data.aws_partition.this.partition}:sqs:${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}:${var.prefix}"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["apigateway.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "gateway" {
  name               = "${var.prefix}-gateway"
  description        = "API Gateway of ${var.prefix}, towards its queues"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "gateway" {
  statement {
    sid       = "PutRequests"
    actions   = ["sqs:SendMessage"]
    resources = sort(values(var.request_queue_arns))
  }

  statement {
    sid       = "ReadAndRemoveReplies"
    actions   = ["sqs:DeleteMessage", "sqs:ReceiveMessage"]
    resources = ["${local.queue_arn_prefix}-login-*", "${local.queue_arn_prefix}-r-*"]
  }
}

resource "aws_iam_role_policy" "gateway" {
  name   = "gateway"
  role   = aws_iam_role.gateway.id
  policy = data.aws_iam_policy_document.gateway.json
}

# API Gateway writes logs in a role that a whole account shares in a region.

resource "aws_iam_role" "logs" {
  count = var.manage_account_logging ? 1 : 0

  name               = "${var.prefix}-gateway-logs"
  description        = "API Gateway of this account, towards CloudWatch Logs"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "logs" {
  count = var.manage_account_logging ? 1 : 0

  role       = aws_iam_role.logs[0].name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "this" {
  count = var.manage_account_logging ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.logs[0].arn

  depends_on = [aws_iam_role_policy_attachment.logs]
}
