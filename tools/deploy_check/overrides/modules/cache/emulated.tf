variable "emulated_cache_port" {
  description = "Port (number) of the server that stands in for ElastiCache."
  type        = number
  # An override may only give arguments that have a default.
  default = null
}
