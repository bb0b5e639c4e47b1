variable "prefix" {
  description = "Start of every name."
  type        = string
  nullable    = false
}

variable "token_minutes" {
  description = "Minutes that id and access tokens are good for, 5 to 60. A login that is disabled is let in until its last token ends."
  type        = number
  nullable    = false

  validation {
    condition     = var.token_minutes >= 5 && var.token_minutes <= 60 && floor(var.token_minutes) == var.token_minutes
    error_message = "Set token_minutes to a whole number from 5 to 60: Cognito takes no less, and a stolen token should not live longer."
  }
}

variable "refresh_token_days" {
  description = "Days after which a resident must enter the password again, 1 to 90."
  type        = number
  nullable    = false

  validation {
    condition     = var.refresh_token_days >= 1 && var.refresh_token_days <= 90 && floor(var.refresh_token_days) == var.refresh_token_days
    error_message = "Set refresh_token_days to a whole number from 1 to 90, longer than any token_minutes."
  }
}

variable "password_minimum_length" {
  description = "Characters that a password has at least, 10 to 99."
  type        = number
  nullable    = false

  validation {
    condition     = var.password_minimum_length >= 10 && var.password_minimum_length <= 99
    error_message = "Set password_minimum_length from 10 to 99: shorter passwords are guessed, and Cognito takes no longer minimum."
  }
}

variable "password_kinds" {
  description = "Kinds of characters that each password has: lowercase, uppercase, numbers, symbols."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.password_kinds) >= 3 && alltrue([for kind in var.password_kinds : contains(["lowercase", "uppercase", "numbers", "symbols"], kind)])
    error_message = "Name at least three of lowercase, uppercase, numbers and symbols in password_kinds."
  }
}

variable "temporary_password_days" {
  description = "Days that a new resident has to replace the temporary password, 1 to 30."
  type        = number
  nullable    = false

  validation {
    condition     = var.temporary_password_days >= 1 && var.temporary_password_days <= 30 && floor(var.temporary_password_days) == var.temporary_password_days
    error_message = "Set temporary_password_days to a whole number from 1 to 30."
  }
}

variable "login_flows" {
  description = "Ways in which the service's client may log in at Cognito."
  type        = set(string)
  nullable    = false

  validation {
    condition     = alltrue([for flow in var.login_flows : contains(["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"], flow)])
    error_message = "Name only ALLOW_USER_PASSWORD_AUTH and ALLOW_REFRESH_TOKEN_AUTH in login_flows: the service logs in by no other way."
  }
}

variable "mfa" {
  description = "OFF, or OPTIONAL for residents who registered an authenticator app. The service's own login answers no second factor yet: such residents need a client that logs in at Cognito itself."
  type        = string
  default     = "OFF"
  nullable    = false

  validation {
    condition     = contains(["OFF", "OPTIONAL"], var.mfa)
    error_message = "Set mfa to OFF or OPTIONAL: with ON nobody could log in through the service."
  }
}

variable "tier" {
  description = "Feature plan of the pool: LITE, ESSENTIALS or PLUS. Each costs more for every resident who logs in within a month."
  type        = string
  default     = "LITE"
  nullable    = false

  validation {
    condition     = contains(["LITE", "ESSENTIALS", "PLUS"], var.tier)
    error_message = "Set tier to LITE, ESSENTIALS or PLUS."
  }
}

variable "threat_protection" {
  description = "What Cognito does about suspicious logins and leaked passwords: OFF, AUDIT (tells) or ENFORCED (blocks). Needs tier PLUS."
  type        = string
  default     = "OFF"
  nullable    = false

  validation {
    condition     = contains(["OFF", "AUDIT", "ENFORCED"], var.threat_protection)
    error_message = "Set threat_protection to OFF, AUDIT or ENFORCED."
  }

  validation {
    condition     = var.threat_protection == "OFF" || var.tier == "PLUS"
    error_message = "Set tier to PLUS for threat_protection, which no other plan has."
  }
}

variable "email_identity_arn" {
  description = "ARN of the SES identity that invitations come from; null for Cognito's own sender, which sends 50 a day."
  type        = string
  default     = null

  validation {
    condition     = var.email_identity_arn == null ? true : can(regex("^arn:[a-z-]+:ses:[a-z0-9-]+:[0-9]{12}:identity/.+$", var.email_identity_arn))
    error_message = "Leave email_identity_arn out, or set it to the ARN of a verified SES identity, such as arn:aws:ses:eu-central-1:123456789012:identity/billing.example."
  }
}

variable "deletion_protection" {
  description = "Whether the pool, and with it every login, is protected from deletion."
  type        = bool
  default     = true
  nullable    = false
}
