output "rest_api_id" {
  description = "Id of the REST API."
  value       = aws_api_gateway_rest_api.this.id
}

output "rest_api_name" {
  description = "Name of the REST API, under which its metrics stand."
  value       = aws_api_gateway_rest_api.this.name
}

output "stage_name" {
  description = "Name of the stage."
  value       = aws_api_gateway_stage.this.stage_name
}

output "execution_arn" {
  description = "ARN under which the API's methods stand in policies."
  value       = aws_api_gateway_rest_api.this.execution_arn
}

output "invoke_url" {
  description = "Where clients reach the API: the own domain, or the address that AWS gives."
  value       = var.domain == null ? aws_api_gateway_stage.this.invoke_url : "https://${var.domain.name}"
}

output "gateway_role_arn" {
  description = "ARN of the role in which the gateway reaches the queues."
  value       = aws_iam_role.gateway.arn
}

output "post_resources" {
  description = "Resource paths of the POST methods by operation, under which their metrics stand."
  value       = { for operation, path in local.posts : operation => "/${trimsuffix(path, "/POST")}" }
}

output "web_acl_name" {
  description = "Name of the web application firewall's list, under which its metrics stand."
  value       = aws_wafv2_web_acl.this.name
}

output "access_log_group_name" {
  description = "Name of the log group of the access log."
  value       = aws_cloudwatch_log_group.access.name
}
