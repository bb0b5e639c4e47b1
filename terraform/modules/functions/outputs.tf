output "function_arns" {
  description = "ARNs of the functions by name."
  value       = { for name, function in local.deployed : name => function.arn }
}

output "function_names" {
  description = "Names in Lambda by name in app.py."
  value       = { for name, function in local.deployed : name => function.function_name }
}

output "role_arns" {
  description = "ARNs of the functions' roles by name; known before the functions are."
  value       = { for name, role in aws_iam_role.function : name => role.arn }
}

output "log_group_names" {
  description = "Names of the log groups by function."
  value       = { for name, group in aws_cloudwatch_log_group.function : name => group.name }
}

output "package_sha256" {
  description = "Hash of the package that the functions run, base64."
  value       = filebase64sha256("${path.module}/deployment.zip")
}
