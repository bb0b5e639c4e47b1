# Residents' logins. Operators make them; nobody signs up.

resource "aws_cognito_user_pool" "this" {
  name                = "${var.prefix}-residents"
  user_pool_tier      = var.tier
  deletion_protection = var.deletion_protection ? "ACTIVE" : "INACTIVE"
  mfa_configuration   = var.mfa

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  username_configuration {
    case_sensitive = false
  }

  password_policy {
    minimum_length                   = var.password_minimum_length
    require_lowercase                = contains(var.password_kinds, "lowercase")
    require_uppercase                = contains(var.password_kinds, "uppercase")
    require_numbers                  = contains(var.password_kinds, "numbers")
    require_symbols                  = contains(var.password_kinds, "symbols")
    temporary_password_validity_days = var.temporary_password_days
  }

  # Operators vouch for addresses when they make a login.
  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  dynamic "software_token_mfa_configuration" {
    for_each = var.mfa == "OFF" ? [] : [true]

    content {
      enabled = true
    }
  }

  dynamic "user_pool_add_ons" {
    for_each = var.tier == "PLUS" ? [var.threat_protection] : []

    content {
      advanced_security_mode = user_pool_add_ons.value
    }
  }

  dynamic "email_configuration" {
    for_each = var.email_identity_arn == null ? [] : [var.email_identity_arn]

    content {
      email_sending_account = "DEVELOPER"
      source_arn            = email_configuration.value
    }
  }
}

# Public: the gateway hands passwords from the queue to Cognito, and a secret beside them would guard
# nothing. No hosted login, no OAuth, and no attribute that means something which a resident may change.
resource "aws_cognito_user_pool_client" "this" {
  name         = "${var.prefix}-service"
  user_pool_id = aws_cognito_user_pool.this.id

  generate_secret     = false
  explicit_auth_flows = var.login_flows

  # Without any, an access token could change all of them, and by its email get the password reset.
  write_attributes = ["locale"]

  # A wrong password and an unknown name read alike.
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true

  # One length for both: the service tells clients when the access token ends and asks for the id
  # token.
  id_token_validity      = var.token_minutes
  access_token_validity  = var.token_minutes
  refresh_token_validity = var.refresh_token_days

  token_validity_units {
    id_token      = "minutes"
    access_token  = "minutes"
    refresh_token = "days"
  }
}
