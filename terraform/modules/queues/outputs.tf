output "request_queue_arns" {
  description = "ARNs of the request queues by operation."
  value       = { for operation, queue in aws_sqs_queue.request : operation => queue.arn }
}

output "request_queue_names" {
  description = "Names of the request queues by operation."
  value       = { for operation, queue in aws_sqs_queue.request : operation => queue.name }
}

output "request_queue_urls" {
  description = "URLs of the request queues by operation."
  value       = { for operation, queue in aws_sqs_queue.request : operation => queue.url }
}

output "dead_letter_queue_arns" {
  description = "ARNs of the dead-letter queues by operation; auth has none."
  value       = { for operation, queue in aws_sqs_queue.dead_letter : operation => queue.arn }
}

output "dead_letter_queue_names" {
  description = "Names of the dead-letter queues by operation; auth has none."
  value       = { for operation, queue in aws_sqs_queue.dead_letter : operation => queue.name }
}

output "redrive_role_arn" {
  description = "ARN of the role that an operator assumes to put dead letters back."
  value       = aws_iam_role.redrive.arn
}
