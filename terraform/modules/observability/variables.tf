variable "prefix" {
  description = "Start of every name."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts notifications; its policy must let CloudWatch use it."
  type        = string
}

variable "alarm_emails" {
  description = "E-mail addresses that alarms go to. Each is asked by AWS to confirm."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "Write each of alarm_emails as name@host."
  }
}

variable "function_names" {
  description = "Names of the functions in Lambda by their name in app.py."
  type        = map(string)
}

variable "function_timeouts_seconds" {
  description = "Timeouts of the functions whose duration is watched, in seconds, by their name in app.py."
  type        = map(number)
}

variable "reconcile_log_group_name" {
  description = "Name of the log group of the function that reconciles the ledger."
  type        = string
}

variable "auth_log_group_name" {
  description = "Name of the log group of the function that logs residents in."
  type        = string
}

variable "web_acl_name" {
  description = "Name of the firewall's list of rules, as its metrics name it."
  type        = string
}

variable "cache_log_group_names" {
  description = "Names of the log groups of the functions that use the cache, by their name in app.py."
  type        = map(string)
}

variable "invariants" {
  description = "What the service promises: the invariants of invariants.json by their number. Alarms name those that they guard."
  type = map(object({
    name    = string
    promise = string
  }))

  validation {
    condition     = alltrue([for number in ["I1", "I2", "I3", "I5", "I8", "I12"] : contains(keys(var.invariants), number)])
    error_message = "Give all of invariants.json as invariants: alarms name I1, I2, I3, I5, I8 and I12."
  }
}

variable "request_queue_names" {
  description = "Names of the request queues by operation."
  type        = map(string)
}

variable "dead_letter_queue_names" {
  description = "Names of the dead-letter queues by operation."
  type        = map(string)
}

variable "api" {
  description = "The API as its metrics name it: its name, its stage, the resource paths of its POST methods by operation."
  type = object({
    name           = string
    stage          = string
    post_resources = map(string)
  })
}

variable "database" {
  description = "The database: its instance's identifier and the most connections that it takes (count)."
  type = object({
    instance_identifier = string
    max_connections     = number
  })
}

variable "cache_node_ids" {
  description = "Ids of the cache's nodes, as their metrics name them."
  type        = set(string)
}

variable "thresholds" {
  description = "When alarms go off: age of the oldest request (seconds), share of a function's timeout, of the database's connections and of its processor (percent), free storage and memory of the database (bytes), share of 5xx answers (percent), latency of POST methods at the 95th percentile (milliseconds), processor of the cache (percent), failed logins and blocked requests (each minute)."
  type = object({
    oldest_request_seconds         = optional(number, 60)
    duration_percent               = optional(number, 80)
    database_connections_percent   = optional(number, 80)
    database_processor_percent     = optional(number, 80)
    database_free_storage_bytes    = optional(number, 10737418240)
    database_freeable_memory_bytes = optional(number, 268435456)
    api_error_percent              = optional(number, 1)
    api_latency_milliseconds       = optional(number, 1000)
    cache_processor_percent        = optional(number, 80)
    failed_logins_per_minute       = optional(number, 20)
    blocked_requests_per_minute    = optional(number, 100)
  })
  default = {}

  validation {
    condition     = alltrue([for name, value in var.thresholds : value > 0 && (!endswith(name, "_percent") || value <= 100)])
    error_message = "Set each of thresholds above 0, and a percentage to 100 at most."
  }
}
