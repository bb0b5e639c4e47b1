# Optional: many functions share few connections. Migrations go to the instance itself all the same,
# as the owner, whose secret the proxy does not know.

locals {
  proxy = var.proxy_enabled ? { this = "${local.identifier}-proxy" } : {}
}

data "aws_region" "current" {}

data "aws_iam_policy_document" "proxy_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["rds.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

data "aws_iam_policy_document" "proxy" {
  for_each = local.proxy

  statement {
    sid       = "ReadRoleSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = values(var.role_secret_arns)
  }

  statement {
    sid       = "DecryptRoleSecrets"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${data.aws_region.current.name}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "proxy" {
  for_each = local.proxy

  name               = each.value
  description        = "Lets RDS Proxy read the secrets of the database roles"
  assume_role_policy = data.aws_iam_policy_document.proxy_assume.json
}

resource "aws_iam_role_policy" "proxy" {
  for_each = local.proxy

  name   = "read-role-secrets"
  role   = aws_iam_role.proxy[each.key].id
  policy = data.aws_iam_policy_document.proxy[each.key].json
}

resource "aws_security_group" "proxy" {
  #checkov:skip=CKV2_AWS_5:The proxy below carries it; checkov does not see through for_each.
  for_each = local.proxy

  name        = each.value
  description = "Proxy of the billing database"
  vpc_id      = var.vpc_id

  tags = { Name = each.value }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "proxy_from_functions" {
  for_each = aws_security_group.proxy

  security_group_id            = each.value.id
  referenced_security_group_id = var.functions_security_group_id
  description                  = "Postgres from the functions"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_vpc_security_group_egress_rule" "functions_to_proxy" {
  for_each = aws_security_group.proxy

  security_group_id            = var.functions_security_group_id
  referenced_security_group_id = each.value.id
  description                  = "Postgres to the proxy"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_vpc_security_group_egress_rule" "proxy_to_database" {
  for_each = aws_security_group.proxy

  security_group_id            = each.value.id
  referenced_security_group_id = aws_security_group.database.id
  description                  = "Postgres to the database"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_vpc_security_group_ingress_rule" "database_from_proxy" {
  for_each = aws_security_group.proxy

  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = each.value.id
  description                  = "Postgres from the proxy"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_db_proxy" "this" {
  for_each = local.proxy

  name                   = each.value
  engine_family          = "POSTGRESQL"
  role_arn               = aws_iam_role.proxy[each.key].arn
  vpc_subnet_ids         = var.subnet_ids
  vpc_security_group_ids = [aws_security_group.proxy[each.key].id]
  require_tls            = true
  idle_client_timeout    = 1800
  # Would log the text of statements, which holds personal data.
  debug_logging = false

  dynamic "auth" {
    for_each = var.role_secret_arns

    content {
      auth_scheme               = "SECRETS"
      client_password_auth_type = "POSTGRES_SCRAM_SHA_256"
      description               = auth.key
      iam_auth                  = "DISABLED"
      secret_arn                = auth.value
    }
  }

  depends_on = [aws_iam_role_policy.proxy]
}

resource "aws_db_proxy_default_target_group" "this" {
  for_each = local.proxy

  db_proxy_name = aws_db_proxy.this[each.key].name

  connection_pool_config {
    # The rest is for migrations, operators and RDS itself.
    max_connections_percent      = 80
    max_idle_connections_percent = 40
    # Seconds. A function rather fails and tries again than waits out its own timeout.
    connection_borrow_timeout = 3
  }
}

resource "aws_db_proxy_target" "this" {
  for_each = local.proxy

  db_proxy_name          = aws_db_proxy.this[each.key].name
  target_group_name      = aws_db_proxy_default_target_group.this[each.key].name
  db_instance_identifier = aws_db_instance.this.identifier
}
