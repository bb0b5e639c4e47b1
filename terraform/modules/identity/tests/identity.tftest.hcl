mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  prefix                  = "bill-test"
  token_minutes           = 15
  refresh_token_days      = 30
  password_minimum_length = 12
  password_kinds          = ["lowercase", "uppercase", "numbers", "symbols"]
  temporary_password_days = 7
  login_flows             = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
}

run "nobody_signs_up_by_themselves" {
  assert {
    condition     = one(aws_cognito_user_pool.this.admin_create_user_config).allow_admin_create_user_only
    error_message = "Only operators may make logins."
  }
}

run "nobody_learns_who_has_a_login" {
  assert {
    condition     = aws_cognito_user_pool_client.this.prevent_user_existence_errors == "ENABLED"
    error_message = "A wrong password and an unknown name must read alike."
  }

  assert {
    condition     = one(aws_cognito_user_pool.this.username_configuration).case_sensitive == false
    error_message = "Two logins must not differ in case alone."
  }
}

run "tokens_are_short_and_can_be_taken_back" {
  assert {
    condition     = aws_cognito_user_pool_client.this.id_token_validity == 15 && aws_cognito_user_pool_client.this.access_token_validity == 15
    error_message = "Id and access tokens must end together, after a quarter of an hour."
  }

  assert {
    condition = (
      aws_cognito_user_pool_client.this.token_validity_units[0].id_token == "minutes"
      && aws_cognito_user_pool_client.this.token_validity_units[0].access_token == "minutes"
      && aws_cognito_user_pool_client.this.token_validity_units[0].refresh_token == "days"
    )
    error_message = "Fifteen must mean minutes, and thirty days."
  }

  assert {
    condition     = aws_cognito_user_pool_client.this.refresh_token_validity == 30 && aws_cognito_user_pool_client.this.enable_token_revocation
    error_message = "Refresh tokens must end after a month, or when they are revoked."
  }
}

run "the_client_has_no_secret_and_only_the_flows_of_the_service" {
  assert {
    condition     = aws_cognito_user_pool_client.this.generate_secret == false
    error_message = "The client must have no secret."
  }

  assert {
    condition     = aws_cognito_user_pool_client.this.explicit_auth_flows == toset(["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    error_message = "The client must log in by password and refresh token only."
  }

  assert {
    condition     = aws_cognito_user_pool_client.this.user_pool_id == aws_cognito_user_pool.this.id
    error_message = "The client must belong to the pool."
  }
}

run "passwords_are_long_and_mixed" {
  assert {
    condition = alltrue([
      aws_cognito_user_pool.this.password_policy[0].minimum_length == 12,
      aws_cognito_user_pool.this.password_policy[0].require_lowercase,
      aws_cognito_user_pool.this.password_policy[0].require_uppercase,
      aws_cognito_user_pool.this.password_policy[0].require_numbers,
      aws_cognito_user_pool.this.password_policy[0].require_symbols,
    ])
    error_message = "Passwords must have twelve characters of four kinds."
  }

  assert {
    condition     = aws_cognito_user_pool.this.password_policy[0].temporary_password_validity_days == 7
    error_message = "A temporary password must end after a week."
  }
}

run "the_user_pool_is_protected_from_deletion" {
  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "ACTIVE"
    error_message = "The pool must have deletion protection."
  }
}

run "a_temporary_deployment_can_be_destroyed" {
  variables {
    deletion_protection = false
  }

  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "INACTIVE"
    error_message = "The pool must let itself be deleted."
  }
}

run "a_second_factor_and_threat_protection_are_off_until_asked_for" {
  assert {
    condition     = aws_cognito_user_pool.this.mfa_configuration == "OFF" && length(aws_cognito_user_pool.this.software_token_mfa_configuration) == 0
    error_message = "No second factor may be asked for."
  }

  assert {
    condition     = aws_cognito_user_pool.this.user_pool_tier == "LITE" && length(aws_cognito_user_pool.this.user_pool_add_ons) == 0
    error_message = "Nothing may be paid for that nobody asked for."
  }
}

run "residents_may_use_an_authenticator_app" {
  variables {
    mfa = "OPTIONAL"
  }

  assert {
    condition     = aws_cognito_user_pool.this.mfa_configuration == "OPTIONAL" && aws_cognito_user_pool.this.software_token_mfa_configuration[0].enabled
    error_message = "The second factor must be an authenticator app."
  }
}

run "suspicious_logins_are_blocked_on_plus" {
  variables {
    tier              = "PLUS"
    threat_protection = "ENFORCED"
  }

  assert {
    condition     = aws_cognito_user_pool.this.user_pool_tier == "PLUS" && aws_cognito_user_pool.this.user_pool_add_ons[0].advanced_security_mode == "ENFORCED"
    error_message = "Threat protection must be enforced."
  }
}

run "invitations_come_from_the_operators_own_address" {
  variables {
    email_identity_arn = "arn:aws:ses:eu-central-1:123456789012:identity/billing.example"
  }

  assert {
    condition = (
      aws_cognito_user_pool.this.email_configuration[0].email_sending_account == "DEVELOPER"
      && aws_cognito_user_pool.this.email_configuration[0].source_arn == var.email_identity_arn
    )
    error_message = "Mail must be sent by the given identity."
  }
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    # Tokens of a day.
    token_minutes = 1440
    # Refresh tokens of a year.
    refresh_token_days = 365
    # Short passwords.
    password_minimum_length = 8
    # Passwords of two kinds.
    password_kinds = ["lowercase", "numbers"]
    # A login without the service.
    login_flows = ["ALLOW_USER_SRP_AUTH"]
    # Temporary passwords of a year.
    temporary_password_days = 365
    # A second factor for all.
    mfa = "ON"
    # A plan that cognito does not have.
    tier = "GOLD"
    # A mail address.
    email_identity_arn = "billing@example.com"
  }

  expect_failures = [
    var.token_minutes,
    var.refresh_token_days,
    var.password_minimum_length,
    var.password_kinds,
    var.login_flows,
    var.temporary_password_days,
    var.mfa,
    var.tier,
    var.email_identity_arn,
  ]
}

run "threat_protection_on_a_plan_without_it_is_rejected" {
  command = plan

  variables {
    threat_protection = "AUDIT"
  }

  expect_failures = [var.threat_protection]
}

run "threat_protection_that_cognito_does_not_have_is_rejected" {
  command = plan

  variables {
    threat_protection = "ON"
    tier              = "PLUS"
  }

  expect_failures = [var.threat_protection]
}
