# Ministack resolves an instance to 127.0.0.1 and the port that it was made with.
locals {
  port = var.emulated_database.port
}

output "master_secret_arn" {
  value = aws_secretsmanager_secret_version.owner.arn
}
