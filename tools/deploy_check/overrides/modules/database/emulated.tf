# RDS makes the owner's password by itself and keeps it in a secret; ministack does not. So in a
# deployment check the secret is made here, as RDS would.

variable "emulated_database" {
  description = "Port (number) and owner's password of the Postgres that stands in for RDS."
  type        = object({ port = number, password = string })
  # An override may only give arguments that have a default.
  default = null
}

resource "aws_secretsmanager_secret" "owner" {
  name                    = "rds-db-${var.prefix}"
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "owner" {
  secret_id     = aws_secretsmanager_secret.owner.id
  secret_string = jsonencode({ username = local.owner, password = var.emulated_database.password })
}
