output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "function_subnet_ids" {
  description = "Ids of the functions' private subnets, one for each zone."
  value       = [for zone in local.zones : aws_subnet.functions[zone].id]
}

output "data_subnet_ids" {
  description = "Ids of the private subnets of database and cache, one for each zone."
  value       = [for zone in local.zones : aws_subnet.data[zone].id]
}

output "functions_security_group_id" {
  description = "Id of the security group that the functions carry. Modules that serve them add their own rules to it."
  value       = aws_security_group.functions.id
}

output "endpoint_ids" {
  description = "Ids of the interface endpoints by the short name of their service."
  value       = { for service, endpoint in aws_vpc_endpoint.this : service => endpoint.id }
}
