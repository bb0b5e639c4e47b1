variable "prefix" {
  description = "Start of every name."
  type        = string
  nullable    = false
}

variable "cidr_block" {
  description = "Private IPv4 range of the VPC in CIDR notation. Each subnet takes a sixteenth of it."
  type        = string
  default     = "10.20.0.0/16"
  nullable    = false

  validation {
    condition     = try(tonumber(split("/", cidrsubnet(var.cidr_block, 0, 0))[1]) >= 16 && tonumber(split("/", var.cidr_block)[1]) <= 24, false)
    error_message = "Set cidr_block to an IPv4 range between /16 and /24, such as \"10.20.0.0/16\": a smaller one leaves subnets without room for endpoints and functions."
  }

  validation {
    condition     = can(regex("^(10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.)", var.cidr_block))
    error_message = "Set cidr_block to a private range, within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
  }
}

variable "zone_count" {
  description = "Number of availability zones to spread over, 2 or 3."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([2, 3], var.zone_count)
    error_message = "Set zone_count to 2 or 3: the database and the cache need a second zone to fail over to."
  }
}

variable "endpoint_services" {
  description = "AWS services that the functions reach, each by an interface endpoint: the last part of the service's name, as in `com.amazonaws.<region>.sqs`. Empty only where there is no such service to reach."
  type        = set(string)
  default     = ["sqs", "secretsmanager", "cognito-idp"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.endpoint_services, ["sqs", "secretsmanager", "cognito-idp", "kms", "logs", "xray"])) == 0
    error_message = "Use only sqs, secretsmanager, cognito-idp, kms, logs and xray in endpoint_services: each endpoint needs a policy, and others have none in this module yet."
  }
}

variable "flow_logs_enabled" {
  description = "Whether to record accepted and rejected connections of the VPC. Off only where nothing can take them."
  type        = bool
  default     = true
  nullable    = false
}

variable "flow_log_retention_days" {
  description = "Days to keep flow logs, one of the periods that CloudWatch Logs offers from a month on."
  type        = number
  default     = 365
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts flow logs. Its policy must let CloudWatch Logs use it."
  type        = string
  nullable    = false
}
