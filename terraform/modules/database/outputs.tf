output "host" {
  description = "Name of the host that functions connect to: of the proxy where there is one, else of the instance."
  value       = var.proxy_enabled ? aws_db_proxy.this["this"].endpoint : aws_db_instance.this.address
}

output "instance_host" {
  description = "Name of the instance's host, where migrations go, as the owner: the proxy does not know the owner's secret."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "Port of both hosts."
  value       = aws_db_instance.this.port
}

output "database_name" {
  description = "Name of the database."
  value       = aws_db_instance.this.db_name
}

output "master_secret_arn" {
  description = "ARN of the secret of the database's owner, with username and password, which RDS made and rotates."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}

output "security_group_id" {
  description = "Id of the database's security group."
  value       = aws_security_group.database.id
}

output "instance_identifier" {
  description = "Identifier of the instance, as metrics name it."
  value       = aws_db_instance.this.identifier
}

output "proxy_name" {
  description = "Name of the proxy, as metrics name it; null without one."
  value       = one([for proxy in aws_db_proxy.this : proxy.name])
}

output "max_connections" {
  description = "Connections that the server takes in all."
  value       = var.max_connections
}
