output "invoke_url" {
  description = "Where clients reach the API."
  value       = module.api.invoke_url
}

output "rest_api_id" {
  description = "Id of the REST API."
  value       = module.api.rest_api_id
}

output "stage_name" {
  description = "Name of the API's stage."
  value       = module.api.stage_name
}

output "gateway_role_arn" {
  description = "ARN of the role in which the gateway reaches the queues."
  value       = module.api.gateway_role_arn
}

output "user_pool_id" {
  description = "Id of the user pool."
  value       = module.identity.user_pool_id
}

output "user_pool_client_id" {
  description = "Id of the client that residents log in through."
  value       = module.identity.client_id
}

output "function_names" {
  description = "Names of the functions in Lambda by their name in app.py."
  value       = module.functions.function_names
}

output "function_role_arns" {
  description = "ARNs of the functions' roles by name."
  value       = module.functions.role_arns
}

output "request_queue_urls" {
  description = "URLs of the request queues by operation."
  value       = module.queues.request_queue_urls
}

output "dead_letter_queue_arns" {
  description = "ARNs of the dead-letter queues by operation."
  value       = module.queues.dead_letter_queue_arns
}

output "redrive_role_arn" {
  description = "ARN of the role that an operator assumes to put dead letters back."
  value       = module.queues.redrive_role_arn
}

output "database_host" {
  description = "Host that the functions reach the database at."
  value       = module.database.host
}

output "database_secret_arns" {
  description = "ARNs of the secrets of the database's roles and of its owner (migrator)."
  value       = merge(module.secrets.role_secret_arns, { migrator = module.database.master_secret_arn })
}

output "alarm_topic_arn" {
  description = "ARN of the topic that alarms are sent to."
  value       = module.observability.alarm_topic_arn
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = module.observability.dashboard_name
}

output "package_sha256" {
  description = "Hash of the package that the functions run, base64."
  value       = module.functions.package_sha256
}

output "function_connections" {
  description = "Connections of the database that the functions take at once, at the most."
  value       = local.function_connections

  precondition {
    condition     = var.database.proxy_enabled || local.function_connections + local.connections_kept_free <= var.database.max_connections
    error_message = "The functions may take ${local.function_connections} connections at once and ${local.connections_kept_free} are kept free, but the database has ${var.database.max_connections}: lower concurrency in functions, raise database.max_connections (with an instance_class that has the memory), or set database.proxy_enabled."
  }
}
