# Optional: a function of the operator's own that follows Secrets Manager's rotation protocol.

locals {
  rotated = var.rotation_lambda_arn == null ? {} : aws_secretsmanager_secret.role
}

resource "aws_lambda_permission" "rotation" {
  for_each = local.rotated

  statement_id  = "${var.prefix}-rotate-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = var.rotation_lambda_arn
  principal     = "secretsmanager.amazonaws.com"
  source_arn    = each.value.arn
}

resource "aws_secretsmanager_secret_rotation" "role" {
  for_each = local.rotated

  secret_id           = each.value.id
  rotation_lambda_arn = var.rotation_lambda_arn
  # The password has just been made; the first rotation can wait until the database knows the role.
  rotate_immediately = false

  rotation_rules {
    automatically_after_days = var.rotation_days
  }

  depends_on = [aws_lambda_permission.rotation, aws_secretsmanager_secret_version.role]
}
