variable "prefix" {
  description = "Start of every name."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the secrets."
  type        = string
  nullable    = false
}

variable "password_versions" {
  description = "Raise a role's number to give it a new password with the next apply; the migration that follows tells the database."
  type = object({
    writer   = optional(number, 1)
    reader   = optional(number, 1)
    operator = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for version in values(var.password_versions) : version >= 1 && floor(version) == version])
    error_message = "Set each of password_versions to a whole number from 1 on, one more than it was to change the password."
  }
}

variable "cache_connection" {
  description = "Where the cache is and who the functions are there: the outputs host, port, username and replication_group_id of the module cache. tls is off only where a stand-in for ElastiCache has none."
  type = object({
    host                 = string
    port                 = number
    username             = string
    replication_group_id = string
    tls                  = optional(bool, true)
  })
  nullable = false
}

variable "recovery_window_days" {
  description = "Days for which a deleted secret can be brought back, 7 to 30, or 0 for none. Its name is taken until then."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.recovery_window_days == 0 || (var.recovery_window_days >= 7 && var.recovery_window_days <= 30)
    error_message = "Set recovery_window_days from 7 to 30, which is what Secrets Manager takes, or to 0 for a stage that is thrown away."
  }
}

variable "rotation_lambda_arn" {
  description = "ARN of a function that rotates the roles' passwords, known before the plan; null to rotate by password_versions."
  type        = string
  default     = null

  validation {
    condition     = var.rotation_lambda_arn == null ? true : can(regex("^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:.+$", var.rotation_lambda_arn))
    error_message = "Leave rotation_lambda_arn out, or set it to the ARN of a function, such as arn:aws:lambda:eu-central-1:123456789012:function:rotate."
  }
}

variable "rotation_days" {
  description = "Days between two rotations by rotation_lambda_arn, 1 to 365."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.rotation_days >= 1 && var.rotation_days <= 365 && floor(var.rotation_days) == var.rotation_days
    error_message = "Set rotation_days to a whole number from 1 to 365."
  }
}
