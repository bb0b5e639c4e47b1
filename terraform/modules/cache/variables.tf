variable "prefix" {
  description = "Start of every name."
  type        = string
  nullable    = false
}

variable "vpc_id" {
  description = "Id of the VPC."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "Ids of private subnets for the cache, in two zones at least."
  type        = list(string)
  nullable    = false
}

variable "functions_security_group_id" {
  description = "Id of the security group of the functions. This module adds its own rules to it."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts what the cache writes to disk."
  type        = string
  nullable    = false
}

variable "engine" {
  description = "Engine of the cache: valkey (8.0, a fifth cheaper) or redis (7.1)."
  type        = string
  default     = "valkey"
  nullable    = false

  validation {
    condition     = contains(["valkey", "redis"], var.engine)
    error_message = "Set engine to valkey or redis, both of which speak the protocol that the functions use."
  }
}

variable "node_type" {
  description = "Node type. Its memory holds computed results; what does not fit is computed again."
  type        = string
  default     = "cache.t4g.small"
  nullable    = false

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "Set node_type to a type of ElastiCache, such as \"cache.t4g.small\"."
  }
}

variable "node_count" {
  description = "Number of nodes, one primary and the rest replicas, 2 to 6."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([2, 3, 4, 5, 6], var.node_count)
    error_message = "Set node_count from 2 to 6: with one node there is nothing to fail over to, and ElastiCache takes five replicas at the most."
  }
}

variable "maintenance_window" {
  description = "When AWS may patch, UTC, as ddd:hh:mm-ddd:hh:mm."
  type        = string
  default     = "sun:05:00-sun:06:00"
  nullable    = false

  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$", var.maintenance_window))
    error_message = "Set maintenance_window to a span of the week in UTC, such as \"sun:05:00-sun:06:00\"."
  }
}

variable "apply_immediately" {
  description = "Whether changes that replace nodes are made at once and not in maintenance_window."
  type        = bool
  default     = false
  nullable    = false
}
