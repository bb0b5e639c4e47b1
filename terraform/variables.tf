variable "prefix" {
  description = "Start of every name of this deployment, at most 12 characters; it can't be changed later."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.prefix) <= 12 && can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.prefix))
    error_message = "Set prefix to at most 12 characters of a-z, 0-9 and single dashes, starting with a letter and not ending with a dash, such as \"bill-prod\"."
  }
}

variable "region" {
  description = "AWS region of everything."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Set region to the name of an AWS region, such as eu-central-1."
  }
}

variable "stage" {
  description = "Name of the API's stage, the first part of every path unless there is an own domain."
  type        = string
  default     = "v1"
  nullable    = false
}

variable "tags" {
  description = "Tags of everything that takes tags, beside service and deployment."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "functions" {
  description = "Scaling, by function: memory (MiB), timeout (seconds), batch size (messages), concurrency (most copies at once). What is left out is as in service.json."
  type = map(object({
    memory_mib      = optional(number)
    timeout_seconds = optional(number)
    batch_size      = optional(number)
    concurrency     = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.functions) : contains(keys(local.service.functions), name)])
    error_message = "Name only functions of service.json in functions, such as payments."
  }
}

variable "reserve_concurrency" {
  description = "Whether each function's concurrency is reserved for it and is its limit also when it is called directly. A new account with a quota of 10 needs false until the quota is raised."
  type        = bool
  default     = true
  nullable    = false
}

variable "network" {
  description = "Private range of the VPC (CIDR) and number of availability zones, 2 or 3."
  type = object({
    cidr_block = optional(string, "10.20.0.0/16")
    zone_count = optional(number, 2)
  })
  default  = {}
  nullable = false
}

variable "database" {
  description = "Postgres: major version, instance class, storage at first and at most (GiB), connections in all (count), standby in another zone, days back to which it can be restored, RDS Proxy."
  type = object({
    engine_version        = optional(string, "17")
    instance_class        = optional(string, "db.t4g.medium")
    allocated_storage_gib = optional(number, 50)
    max_storage_gib       = optional(number, 500)
    max_connections       = optional(number, 200)
    multi_az              = optional(bool, true)
    backup_retention_days = optional(number, 14)
    proxy_enabled         = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "cache" {
  description = "Cache: engine (valkey or redis), node type, number of nodes (2 to 6)."
  type = object({
    engine     = optional(string, "valkey")
    node_type  = optional(string, "cache.t4g.small")
    node_count = optional(number, 2)
  })
  default  = {}
  nullable = false
}

variable "identity" {
  description = "User pool: minutes that tokens are good for, days until the password is asked again, characters that a password has at least, days that a temporary one lasts (all as in service.json when left out), second factor (OFF or OPTIONAL), feature plan, threat protection, SES identity of invitations."
  type = object({
    token_minutes           = optional(number)
    refresh_token_days      = optional(number)
    password_minimum_length = optional(number)
    temporary_password_days = optional(number)
    mfa                     = optional(string, "OFF")
    tier                    = optional(string, "LITE")
    threat_protection       = optional(string, "OFF")
    email_identity_arn      = optional(string)
  })
  default  = {}
  nullable = false
}

variable "api" {
  description = "API: throttles of POSTs and of everything else (requests a second and at once; as in service.json when left out), quota of one API key (requests a day), limits of the firewall (requests of one address in 5 minutes), whether to set the account's role for logs, own domain."
  type = object({
    throttles = optional(object({
      posts = optional(object({ rate = number, burst = number }))
      polls = optional(object({ rate = number, burst = number }))
    }), {})
    requests_per_day = optional(number, 1000000)
    firewall = optional(object({
      logins_per_address   = optional(number, 100)
      requests_per_address = optional(number, 10000)
    }), {})
    manage_account_logging = optional(bool, true)
    domain = optional(object({
      name            = string
      certificate_arn = string
      zone_id         = optional(string)
    }))
  })
  default  = {}
  nullable = false
}

variable "password_versions" {
  description = "Raise a role's number to give it a new password with the next apply, which also tells the database."
  type = object({
    writer   = optional(number, 1)
    reader   = optional(number, 1)
    operator = optional(number, 1)
  })
  default  = {}
  nullable = false
}

variable "reconcile_schedule" {
  description = "When the ledger is reconciled, as an EventBridge schedule in UTC. A run ends when all is checked, at the latest after its timeout; the next one goes on there."
  type        = string
  default     = "cron(10 0-5 * * ? *)"
  nullable    = false
}

variable "time_zone" {
  description = "IANA name of the time zone in which days begin and end: when a bill is overdue, whose it is after a move, the days of reconciliation, the year of receipts. The migration refuses a name that the database does not know."
  type        = string
  default     = "UTC"
  nullable    = false
}

variable "alarm_emails" {
  description = "E-mail addresses that alarms go to. Each is asked by AWS to confirm."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "alarm_thresholds" {
  description = "When alarms go off, where the defaults of the module observability don't suit."
  type        = map(number)
  default     = {}
  nullable    = false
}

variable "log_level" {
  description = "The least level that the functions log: DEBUG, INFO, WARNING or ERROR."
  type        = string
  default     = "INFO"
  nullable    = false
}

variable "log_retention_days" {
  description = "How long all logs are kept, in days: 30, 60, 90, 120, 150, 180, 365 or another number from a month on that CloudWatch Logs offers."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "Set log_retention_days to a period of CloudWatch Logs from 30 days on: 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "deletion_protection" {
  description = "Whether database and user pool are protected from deletion, the database leaves a snapshot and secrets can be brought back. False only for a deployment that is thrown away."
  type        = bool
  default     = true
  nullable    = false
}

variable "emulated" {
  description = "Whether AWS is emulated, as in the deployment check: leaves out flow logs and the database's log exports, which no emulator takes, and accepts a database without a certificate. Never set it for a real account."
  type        = bool
  default     = false
  nullable    = false
}
