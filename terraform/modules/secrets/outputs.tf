output "role_secret_arns" {
  description = "ARNs of the database roles' secrets by role: writer, reader, operator. Each holds username and password."
  value       = { for role, secret in aws_secretsmanager_secret.role : role => secret.arn }

  # Whoever reads a secret by its ARN, such as the migration, finds the password of this apply in it.
  depends_on = [aws_secretsmanager_secret_version.role]
}

output "cache_secret_arn" {
  description = "ARN of the cache's secret: host, port, username, password (null), tls, authentication (iam), replication_group_id."
  value       = aws_secretsmanager_secret.cache.arn
}
