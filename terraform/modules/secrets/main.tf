# Secrets of the database's roles and of the cache. Passwords are written through write-only arguments,
# so that none stands in a state or a plan.

locals {
  role_versions = {
    writer   = var.password_versions.writer
    reader   = var.password_versions.reader
    operator = var.password_versions.operator
  }

  secrets = merge(
    { for role, secret in aws_secretsmanager_secret.role : role => secret.arn },
    { cache = aws_secretsmanager_secret.cache.arn },
  )
}

resource "aws_secretsmanager_secret" "role" {
  #checkov:skip=CKV2_AWS_57:Rotated by password_versions, or by the function of rotation_lambda_arn where there is one.
  for_each = local.role_versions

  name                    = "${var.prefix}/database/${each.key}"
  description             = "Login of the database role billing_${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days
}

# A password is made in the moment in which it is written: uuid() is unknown in a plan and another in
# every apply, and only a raised version makes Terraform write at all. Two of them are 244 bits of the
# operating system's randomness, as 64 digits that no client, proxy or shell needs to escape. The
# ephemeral aws_secretsmanager_random_password would do the same, if Terraform's tests could stand in
# for it.
resource "aws_secretsmanager_secret_version" "role" {
  for_each = local.role_versions

  secret_id = aws_secretsmanager_secret.role[each.key].id
  secret_string_wo = jsonencode({
    username = "billing_${each.key}"
    password = sha256(join("", [uuid(), uuid()]))
  })
  secret_string_wo_version = each.value
}

resource "aws_secretsmanager_secret" "cache" {
  #checkov:skip=CKV2_AWS_57:Holds no password: functions log in to the cache by IAM.
  name                    = "${var.prefix}/cache"
  description             = "Where the cache is and who the functions are there"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days
}

resource "aws_secretsmanager_secret_version" "cache" {
  secret_id = aws_secretsmanager_secret.cache.id
  # Nothing in it is secret, so Terraform may remember it and see when it differs.
  secret_string = jsonencode(merge(var.cache_connection, { password = null, authentication = "iam" }))
}

data "aws_iam_policy_document" "tls_only" {
  for_each = local.secrets

  statement {
    sid       = "RejectWithoutTls"
    effect    = "Deny"
    actions   = ["secretsmanager:*"]
    resources = [each.value]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_secretsmanager_secret_policy" "tls_only" {
  for_each = local.secrets

  secret_arn          = each.value
  policy              = data.aws_iam_policy_document.tls_only[each.key].json
  block_public_policy = true
}
