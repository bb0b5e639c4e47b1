variable "prefix" {
  description = "What the names of all resources of this stage start with, at most 12 characters."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.prefix) <= 12 && can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.prefix))
    error_message = "Set prefix to at most 12 characters of a-z, 0-9 and single dashes, starting with a letter and not ending with a dash, such as \"bill-prod\"."
  }
}

variable "vpc_id" {
  description = "Id of the VPC."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "Set vpc_id to the id of a VPC, such as the output vpc_id of the module network."
  }
}

variable "subnet_ids" {
  description = "Ids of private subnets for the cache, in two zones at least."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Set subnet_ids to two subnets or more, each in another zone: a replica takes over when a zone fails."
  }
}

variable "functions_security_group_id" {
  description = "Id of the security group of the functions. This module adds its own rules to it."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.functions_security_group_id, "sg-")
    error_message = "Set functions_security_group_id to the id of a security group, such as the output functions_security_group_id of the module network."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts what the cache writes to disk."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "Set kms_key_arn to the ARN of a KMS key, such as arn:aws:kms:eu-central-1:123456789012:key/..., not to its id or an alias."
  }
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
