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
  description = "Ids of private subnets for the database, in two zones at least."
  type        = list(string)
  nullable    = false
}

variable "functions_security_group_id" {
  description = "Id of the security group of the functions. This module adds its own rules to it."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts storage, backups, logs, performance data and the owner's password."
  type        = string
  nullable    = false
}

variable "engine_version" {
  description = "Version of Postgres, 16 or 17. Name the major version alone, so that minor upgrades come by themselves."
  type        = string
  default     = "17"
  nullable    = false

  validation {
    condition     = can(regex("^(16|17)(\\.[0-9]+)?$", var.engine_version))
    error_message = "Set engine_version to 16 or 17, or to one of their minor versions, such as \"17.5\"."
  }
}

variable "allow_major_version_upgrade" {
  description = "Whether engine_version may name another major version than the one that runs. On for the one apply that upgrades."
  type        = bool
  default     = false
  nullable    = false
}

variable "instance_class" {
  description = "Instance class. Its memory must carry max_connections, at about 10 MiB each."
  type        = string
  default     = "db.t4g.medium"
  nullable    = false

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "Set instance_class to a class of RDS, such as \"db.t4g.medium\"."
  }
}

variable "allocated_storage_gib" {
  description = "Storage at the start, in GiB."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.allocated_storage_gib >= 20 && floor(var.allocated_storage_gib) == var.allocated_storage_gib
    error_message = "Set allocated_storage_gib to a whole number from 20 on, the least that gp3 takes."
  }
}

variable "max_storage_gib" {
  description = "How far storage may grow by itself, in GiB."
  type        = number
  default     = 500
  nullable    = false

  validation {
    condition     = var.max_storage_gib >= var.allocated_storage_gib * 1.26
    error_message = "Set max_storage_gib to 1.26 times allocated_storage_gib at least: RDS grows storage by a tenth or more at a time and rejects a limit closer than that."
  }
}

variable "multi_az" {
  description = "Whether a standby in another zone takes over when the instance fails."
  type        = bool
  default     = true
  nullable    = false
}

variable "backup_retention_days" {
  description = "Days back to which the database can be restored to any second, 7 to 35."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 35
    error_message = "Set backup_retention_days from 7 to 35: a wrong import may be noticed only after a weekend, and RDS keeps no more than 35."
  }
}

variable "backup_window" {
  description = "When the daily backup starts, UTC, as hh:mm-hh:mm, apart from maintenance_window."
  type        = string
  default     = "03:00-04:00"
  nullable    = false

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", var.backup_window))
    error_message = "Set backup_window to two times of day in UTC, such as \"03:00-04:00\"."
  }
}

variable "maintenance_window" {
  description = "When AWS may patch and changes that need a restart are made, UTC, as ddd:hh:mm-ddd:hh:mm."
  type        = string
  default     = "sun:05:00-sun:06:00"
  nullable    = false

  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$", var.maintenance_window))
    error_message = "Set maintenance_window to a span of the week in UTC, such as \"sun:05:00-sun:06:00\"."
  }
}

variable "apply_immediately" {
  description = "Whether changes that restart the instance are made at once and not in maintenance_window."
  type        = bool
  default     = false
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether the instance is protected from deletion."
  type        = bool
  default     = true
  nullable    = false
}

variable "final_snapshot" {
  description = "Whether a snapshot named `<prefix>-db-final` is kept when the instance is deleted. Off only where the data is worth nothing."
  type        = bool
  default     = true
  nullable    = false
}

variable "max_connections" {
  description = "Connections that the server takes in all. Functions, operators, the proxy and RDS itself must fit."
  type        = number
  default     = 200
  nullable    = false

  validation {
    condition     = var.max_connections >= 50 && var.max_connections <= 5000 && floor(var.max_connections) == var.max_connections
    error_message = "Set max_connections to a whole number from 50 to 5000; beyond that use the proxy."
  }
}

variable "timeouts_ms" {
  description = "Backstops in milliseconds for sessions that set no timeouts of their own: one statement, waiting for a lock, doing nothing within a transaction, doing nothing at all."
  type = object({
    statement           = optional(number, 900000)
    lock                = optional(number, 30000)
    idle_in_transaction = optional(number, 30000)
    idle_session        = optional(number, 1800000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for milliseconds in values(var.timeouts_ms) : milliseconds >= 1000 && milliseconds <= 3600000])
    error_message = "Set each of timeouts_ms from 1000 to 3600000: less would stop honest work, and 0 would mean no timeout at all."
  }

  validation {
    condition     = var.timeouts_ms.lock < var.timeouts_ms.statement
    error_message = "Set timeouts_ms.lock below timeouts_ms.statement, else the wait for a lock ends as an unexplained statement timeout."
  }
}

variable "slow_statement_log_ms" {
  description = "Milliseconds from which a statement is logged with its text, -1 for never. The text holds residents' names and addresses."
  type        = number
  default     = -1
  nullable    = false

  validation {
    condition     = var.slow_statement_log_ms == -1 || var.slow_statement_log_ms >= 100
    error_message = "Set slow_statement_log_ms to -1 for never, or to 100 or more for a search that is switched off again."
  }
}

variable "log_exports" {
  description = "Logs of the server that go to CloudWatch Logs: postgresql, upgrade."
  type        = set(string)
  default     = ["postgresql", "upgrade"]
  nullable    = false
}

variable "log_retention_days" {
  description = "Days to keep the server's logs in CloudWatch Logs, one of the periods that it offers from a month on."
  type        = number
  default     = 365
  nullable    = false
}

variable "monitoring_interval_seconds" {
  description = "Seconds between two readings of the operating system (enhanced monitoring)."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = contains([1, 5, 10, 15, 30, 60], var.monitoring_interval_seconds)
    error_message = "Set monitoring_interval_seconds to 1, 5, 10, 15, 30 or 60, which is what RDS offers."
  }
}

variable "performance_insights_retention_days" {
  description = "Days to keep Performance Insights: 7 (free), or a multiple of 31 up to 713, or 731."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = contains([7, 731], var.performance_insights_retention_days) || (var.performance_insights_retention_days % 31 == 0 && var.performance_insights_retention_days >= 31 && var.performance_insights_retention_days <= 713)
    error_message = "Set performance_insights_retention_days to 7, to a multiple of 31 up to 713, or to 731."
  }
}

variable "iam_authentication_enabled" {
  description = "Whether roles that were granted rds_iam may log in with a token of IAM instead of a password."
  type        = bool
  default     = true
  nullable    = false
}

variable "proxy_enabled" {
  description = "Whether RDS Proxy stands between the functions and the database, for more functions at once than the server has connections."
  type        = bool
  default     = false
  nullable    = false
}

variable "role_secret_arns" {
  description = "ARNs of the secrets of the database roles that log in through the proxy, by role. Each holds username and password."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = !var.proxy_enabled || length(var.role_secret_arns) > 0
    error_message = "Set role_secret_arns, such as to the output role_secret_arns of the module secrets: a proxy lets nobody in whose secret it does not know."
  }
}
