variable "prefix" {
  description = "Start of every name."
  type        = string
}

variable "functions" {
  description = "What each function of the package gets: memory (MiB), timeout (seconds), concurrency (most copies at once), role in the database, whether it uses the cache. Those that read a queue also have a batch size (messages) and how much time each message has at least (seconds)."
  type = map(object({
    description     = string
    memory_mib      = number
    timeout_seconds = number
    concurrency     = number
    database_role   = string
    cache           = bool
    batch_size      = optional(number)
    record_seconds  = optional(number)
  }))

  validation {
    condition     = alltrue([for function in values(var.functions) : function.memory_mib >= 128 && function.memory_mib <= 10240])
    error_message = "Set memory_mib of each function to 128 up to 10240."
  }

  validation {
    condition     = alltrue([for function in values(var.functions) : function.timeout_seconds >= 1 && function.timeout_seconds <= 900])
    error_message = "Set timeout_seconds of each function to 1 up to 900."
  }

  validation {
    condition     = alltrue([for function in values(var.functions) : contains(["writer", "reader", "operator", "migrator"], function.database_role)])
    error_message = "Set database_role of each function to writer, reader, operator or migrator."
  }

  validation {
    condition     = alltrue([for name, function in var.functions : function.concurrency >= (contains(keys(var.request_queue_arns), name) ? 2 : 1) && function.concurrency <= 1000])
    error_message = "Set concurrency of a function that reads a queue to 2 up to 1000, as event source mappings allow, and that of any other to 1 or more."
  }

  validation {
    condition     = alltrue([for name in keys(var.request_queue_arns) : try(var.functions[name].batch_size >= 1 && var.functions[name].batch_size <= 10, false)])
    error_message = "Set batch_size of each function that reads a queue to 1 up to 10: larger batches would wait for messages to gather."
  }

  validation {
    condition     = alltrue([for name in keys(var.request_queue_arns) : try(var.functions[name].batch_size * var.functions[name].record_seconds <= var.functions[name].timeout_seconds, false)])
    error_message = "Raise timeout_seconds or lower batch_size: batch_size x record_seconds must fit into the timeout, else a message gets no time for a slow call."
  }
}

variable "subnet_ids" {
  description = "Subnets that the functions run in."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group of the functions."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the logs and the secrets."
  type        = string
}

variable "request_queue_arns" {
  description = "ARNs of the request queues by the name of the function that reads each."
  type        = map(string)
}

variable "request_queue_urls" {
  description = "URLs of the request queues by the name of the function that reads each."
  type        = map(string)
}

variable "gateway_role_arn" {
  description = "ARN of the gateway's role, which alone reads replies."
  type        = string
}

variable "max_receive_count" {
  description = "How often (count) a request is received before its user is told that it failed."
  type        = number
}

variable "database" {
  description = "Where Postgres is: host that the functions connect to, host of the server itself (the same unless a proxy stands before it), port, name of the database and libpq's sslmode."
  type = object({
    host          = string
    instance_host = string
    port          = number
    name          = string
    sslmode       = optional(string, "verify-full")
  })
}

variable "role_secret_arns" {
  description = "ARNs of the secrets with user name and password, by role in the database (writer, reader, operator, migrator)."
  type        = map(string)
}

variable "cache_secret_arn" {
  description = "ARN of the secret that says where the cache is and how to log in there."
  type        = string
}

variable "cache_connect_arns" {
  description = "ARNs of the cache's replication group and user, which functions with the cache log in to by their role; empty where they log in with a password."
  type        = list(string)
  default     = []
}

variable "user_pool" {
  description = "The user pool: its ARN, id, and the id of the client that residents log in through."
  type = object({
    arn       = string
    id        = string
    client_id = string
  })
}

variable "log_level" {
  description = "The least level that the functions log: DEBUG, INFO, WARNING or ERROR."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "Set log_level to DEBUG, INFO, WARNING or ERROR."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept, in days; one of the numbers that CloudWatch Logs allows."
  type        = number
  default     = 365
}

variable "reserve_concurrency" {
  description = "Whether each function's concurrency is reserved for it and is its limit also when it is called directly. A new account with a quota of 10 needs false until the quota is raised."
  type        = bool
  default     = true
}

variable "reconcile_schedule" {
  description = "When the ledger is reconciled, as an EventBridge schedule in UTC. A run ends when all is checked, at the latest after its timeout; the next one goes on there."
  type        = string
  default     = "cron(10 0-5 * * ? *)"

  validation {
    condition     = can(regex("^(cron|rate)\\(.+\\)$", var.reconcile_schedule))
    error_message = "Set reconcile_schedule to an EventBridge schedule such as cron(10 0-5 * * ? *)."
  }
}

variable "time_zone" {
  description = "IANA name of the time zone in which days begin and end: when a bill is overdue, whose it is after a move, the days of reconciliation, the year of receipts. The migration refuses a name that the database does not know."
  type        = string
  default     = "UTC"

  validation {
    condition     = can(regex("^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]*){1,2})$", var.time_zone))
    error_message = "Set time_zone to an IANA name such as Europe/Kyiv, or UTC."
  }
}

variable "migration_triggers" {
  description = "Values that run the migration again when they change, such as the version of the roles' passwords; it always runs when the package or the time zone changes."
  type        = map(string)
  default     = {}
}
