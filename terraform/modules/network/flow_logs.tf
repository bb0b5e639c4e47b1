# Who talked to whom, and who was turned away. Addresses and ports only: no content, no names.

locals {
  flow_logs = var.flow_logs_enabled ? { vpc = aws_vpc.this.id } : {}
}

resource "aws_cloudwatch_log_group" "flow" {
  for_each = local.flow_logs

  name              = "/${var.prefix}/network/flow"
  retention_in_days = var.flow_log_retention_days
  kms_key_id        = var.kms_key_arn
}

data "aws_iam_policy_document" "flow_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    # Keeps another account's flow logs from being written with this role.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

data "aws_iam_policy_document" "flow_write" {
  for_each = local.flow_logs

  statement {
    sid = "WriteFlowLogs"
    actions = [
      "logs:CreateLogStream",
      "logs:DescribeLogStreams",
      "logs:PutLogEvents",
    ]
    resources = ["${aws_cloudwatch_log_group.flow[each.key].arn}:*"]
  }
}

resource "aws_iam_role" "flow" {
  for_each = local.flow_logs

  name               = "${var.prefix}-flow-logs"
  description        = "Lets VPC Flow Logs write to its log group"
  assume_role_policy = data.aws_iam_policy_document.flow_assume.json
}

resource "aws_iam_role_policy" "flow" {
  for_each = local.flow_logs

  name   = "write"
  role   = aws_iam_role.flow[each.key].id
  policy = data.aws_iam_policy_document.flow_write[each.key].json
}

resource "aws_flow_log" "this" {
  for_each = local.flow_logs

  vpc_id                   = each.value
  traffic_type             = "ALL"
  log_destination          = aws_cloudwatch_log_group.flow[each.key].arn
  iam_role_arn             = aws_iam_role.flow[each.key].arn
  max_aggregation_interval = 60

  tags = { Name = var.prefix }
}
