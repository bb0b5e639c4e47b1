variable "emulated_database" {
  description = "Port (number) and owner's password of the Postgres that stands in for RDS."
  type        = object({ port = number, password = string })
}

variable "emulated_cache_port" {
  description = "Port (number) of the server that stands in for ElastiCache."
  type        = number
}
