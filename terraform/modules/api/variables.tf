variable "prefix" {
  description = "Start of every name."
  type        = string
}

variable "stage_name" {
  description = "Name of the API's stage, the first part of every path unless there is an own domain."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_]{1,128}$", var.stage_name))
    error_message = "Set stage_name to 1 to 128 letters, digits and underscores."
  }
}

variable "user_pool_arn" {
  description = "ARN of the user pool whose id tokens the API takes."
  type        = string
}

variable "user_pool_client_id" {
  description = "Id of the pool's client that residents log in through; tokens of other clients are rejected."
  type        = string
}

variable "request_queue_arns" {
  description = "ARNs of the request queues by operation; the gateway may send to these."
  type        = map(string)
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long access logs and firewall logs are kept, in days; one of the numbers that CloudWatch Logs allows."
  type        = number
  default     = 365
}

variable "throttles" {
  description = "The most requests to each POST and to each other method: rate (requests a second, over all callers) and burst (requests at once)."
  type = object({
    posts = object({ rate = number, burst = number })
    polls = object({ rate = number, burst = number })
  })
  nullable = false

  validation {
    condition     = alltrue([for throttle in values(var.throttles) : throttle.rate >= 1 && throttle.burst >= throttle.rate])
    error_message = "Set rate to 1 or more and burst to at least the rate, for posts and polls: -1 or 0 would mean no limit or no request."
  }
}

variable "requests_per_day" {
  description = "Quota of the usage plan, in requests a day of one API key. The contract asks for no key; the plan is for partners who are given one."
  type        = number
  default     = 1000000

  validation {
    condition     = var.requests_per_day >= 1
    error_message = "Set requests_per_day to 1 or more."
  }
}

variable "firewall" {
  description = "Limits of the web application firewall, in requests of one address in 5 minutes: to the login, and to everything."
  type = object({
    logins_per_address   = optional(number, 100)
    requests_per_address = optional(number, 10000)
  })
  default = {}

  validation {
    condition     = alltrue([for limit in values(var.firewall) : limit >= 10 && limit <= 2000000000])
    error_message = "Set each limit of firewall to 10 or more, as WAF demands."
  }
}

variable "manage_account_logging" {
  description = "Whether to set the role in which API Gateway writes logs: one per account and region, so set it to false where another project has set it."
  type        = bool
  default     = true
}

variable "domain" {
  description = "Own domain: its name, the ARN of its certificate (in this region) and, if Route 53 has the zone, the zone's id. Null: the address that AWS gives."
  type = object({
    name            = string
    certificate_arn = string
    zone_id         = optional(string)
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain.name))
    error_message = "Set domain.name to a host name such as api.example.org."
  }

  validation {
    condition     = var.domain == null || can(regex("^arn:[a-z-]+:acm:", var.domain.certificate_arn))
    error_message = "Set domain.certificate_arn to the ARN of a certificate of AWS Certificate Manager."
  }
}
