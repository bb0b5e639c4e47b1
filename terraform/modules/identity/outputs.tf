output "user_pool_id" {
  description = "Id of the user pool."
  value       = aws_cognito_user_pool.this.id
}

output "user_pool_arn" {
  description = "ARN of the user pool, which the gateway's authorizer asks."
  value       = aws_cognito_user_pool.this.arn
}

output "client_id" {
  description = "Id of the client that the service logs residents in by."
  value       = aws_cognito_user_pool_client.this.id
}
