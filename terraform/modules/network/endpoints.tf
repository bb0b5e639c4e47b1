# An endpoint's policy is the ceiling for whatever runs in the VPC: our account, our stage's
# resources. Which function may do what with them is the business of the functions' roles.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  region     = data.aws_region.current.name
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  # `anonymous`: Cognito takes logins unsigned, so no principal can be asked for; the pool is one of
  # this account all the same.
  endpoint_statements = {
    sqs = {
      OwnQueues    = { actions = ["sqs:*"], resources = ["arn:${local.partition}:sqs:${local.region}:${local.account_id}:${var.prefix}-*"], anonymous = false }
      ListOfQueues = { actions = ["sqs:ListQueues"], resources = ["*"], anonymous = false }
    }
    secretsmanager = {
      OwnSecrets = {
        actions = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
        resources = [
          "arn:${local.partition}:secretsmanager:${local.region}:${local.account_id}:secret:${var.prefix}/*",
          # The database owner's secret, which RDS makes, names and rotates.
          "arn:${local.partition}:secretsmanager:${local.region}:${local.account_id}:secret:rds!db-*",
        ]
        anonymous = false
      }
    }
    cognito-idp = {
      Logins = { actions = ["cognito-idp:InitiateAuth", "cognito-idp:RespondToAuthChallenge"], resources = ["*"], anonymous = true }
      OwnPools = {
        actions   = ["cognito-idp:Admin*"]
        resources = ["arn:${local.partition}:cognito-idp:${local.region}:${local.account_id}:userpool/*"]
        anonymous = false
      }
    }
    kms = {
      OwnKey = { actions = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], resources = [var.kms_key_arn], anonymous = false }
    }
    logs = {
      LogsOfFunctions = {
        actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        resources = ["arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:/aws/lambda/*"]
        anonymous = false
      }
    }
    xray = {
      # X-Ray knows no resources to restrict these to.
      Traces = { actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSampling*"], resources = ["*"], anonymous = false }
    }
  }
}

data "aws_iam_policy_document" "endpoint" {
  for_each = var.endpoint_services

  dynamic "statement" {
    for_each = local.endpoint_statements[each.value]

    content {
      sid       = statement.key
      actions   = statement.value.actions
      resources = statement.value.resources

      principals {
        type        = "AWS"
        identifiers = ["*"]
      }

      dynamic "condition" {
        for_each = statement.value.anonymous ? [] : [local.account_id]

        content {
          test     = "StringEquals"
          variable = "aws:PrincipalAccount"
          values   = [condition.value]
        }
      }
    }
  }
}

resource "aws_security_group" "endpoints" {
  name        = "${var.prefix}-endpoints"
  description = "Interface endpoints of AWS services"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.prefix}-endpoints" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_from_functions" {
  security_group_id            = aws_security_group.endpoints.id
  referenced_security_group_id = aws_security_group.functions.id
  description                  = "HTTPS from the functions"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "functions_to_endpoints" {
  security_group_id            = aws_security_group.functions.id
  referenced_security_group_id = aws_security_group.endpoints.id
  description                  = "HTTPS to the interface endpoints"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_endpoint" "this" {
  for_each = var.endpoint_services

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${local.region}.${each.value}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = [for subnet in aws_subnet.functions : subnet.id]
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true
  policy              = data.aws_iam_policy_document.endpoint[each.value].json

  tags = { Name = "${var.prefix}-${each.value}" }
}
