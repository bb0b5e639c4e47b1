output "host" {
  description = "Name of the primary's host, which follows a failover."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "port" {
  description = "Port of the cache."
  value       = local.port
}

output "username" {
  description = "Name of the user that the functions log in as."
  value       = aws_elasticache_user.functions.user_name
}

output "user_arn" {
  description = "ARN of that user. A function's role needs elasticache:Connect on it and on replication_group_arn."
  value       = aws_elasticache_user.functions.arn
}

output "security_group_id" {
  description = "Id of the cache's security group."
  value       = aws_security_group.cache.id
}

output "replication_group_id" {
  description = "Id of the replication group, which tokens are signed for."
  value       = aws_elasticache_replication_group.this.replication_group_id
}

output "replication_group_arn" {
  description = "ARN of the replication group."
  value       = aws_elasticache_replication_group.this.arn
}

output "node_ids" {
  description = "Ids of the nodes, as metrics name them."
  value       = [for number in range(1, var.node_count + 1) : format("%s-%03d", local.identifier, number)]
}
