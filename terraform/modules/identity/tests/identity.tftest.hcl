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
    condition = alltrue([
      aws_cognito_user_pool_client.this.id_token_validity == 15,
      aws_cognito_user_pool_client.this.access_token_validity == 15,
      aws_cognito_user_pool_client.this.refresh_token_validity == 30,
      aws_cognito_user_pool_client.this.token_validity_units[0].id_token == "minutes",
      aws_cognito_user_pool_client.this.token_validity_units[0].access_token == "minutes",
      aws_cognito_user_pool_client.this.token_validity_units[0].refresh_token == "days",
      aws_cognito_user_pool_client.this.enable_token_revocation,
    ])
    error_message = "Id and access tokens must end after 15 minutes, refresh tokens after 30 days or when they are revoked."
  }
}

run "only_operators_make_logins_and_the_client_has_no_secret" {
  assert {
    condition     = one(aws_cognito_user_pool.this.admin_create_user_config).allow_admin_create_user_only
    error_message = "Nobody may sign up by themselves."
  }

  assert {
    condition = alltrue([
      aws_cognito_user_pool_client.this.user_pool_id == aws_cognito_user_pool.this.id,
      aws_cognito_user_pool_client.this.generate_secret == false,
      aws_cognito_user_pool_client.this.explicit_auth_flows == toset(["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]),
    ])
    error_message = "The pool's client must log in by password and refresh token only, without a secret."
  }
}

run "no_resident_changes_what_their_login_is_known_by" {
  assert {
    condition     = aws_cognito_user_pool_client.this.write_attributes == toset(["locale"])
    error_message = "Whoever holds an access token must not change the email that resets the password. An empty list means all."
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
      aws_cognito_user_pool.this.password_policy[0].temporary_password_validity_days == 7,
    ])
    error_message = "Passwords must have twelve characters of four kinds; a temporary one must end after a week."
  }
}

run "what_costs_or_can_not_be_undone_is_off_until_asked_for" {
  assert {
    condition = alltrue([
      aws_cognito_user_pool.this.deletion_protection == "ACTIVE",
      aws_cognito_user_pool.this.mfa_configuration == "OFF",
      length(aws_cognito_user_pool.this.software_token_mfa_configuration) == 0,
      aws_cognito_user_pool.this.user_pool_tier == "LITE",
      length(aws_cognito_user_pool.this.user_pool_add_ons) == 0,
    ])
    error_message = "By default the pool must be protected from deletion, and have no second factor and nothing paid."
  }
}

run "what_is_asked_for_is_applied" {
  variables {
    deletion_protection = false
    mfa                 = "OPTIONAL"
    tier                = "PLUS"
    threat_protection   = "ENFORCED"
    email_identity_arn  = "arn:aws:ses:eu-central-1:123456789012:identity/billing.example"
  }

  assert {
    condition = alltrue([
      aws_cognito_user_pool.this.deletion_protection == "INACTIVE",
      aws_cognito_user_pool.this.mfa_configuration == "OPTIONAL",
      aws_cognito_user_pool.this.software_token_mfa_configuration[0].enabled,
      aws_cognito_user_pool.this.user_pool_tier == "PLUS",
      aws_cognito_user_pool.this.user_pool_add_ons[0].advanced_security_mode == "ENFORCED",
      aws_cognito_user_pool.this.email_configuration[0].email_sending_account == "DEVELOPER",
      aws_cognito_user_pool.this.email_configuration[0].source_arn == var.email_identity_arn,
    ])
    error_message = "Deletion, an authenticator app, blocking suspicious logins and an own sender must be possible."
  }
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    token_minutes           = 1440
    refresh_token_days      = 365
    password_minimum_length = 8
    password_kinds          = ["lowercase", "numbers"]
    login_flows             = ["ALLOW_USER_SRP_AUTH"] # A login without the service.
    temporary_password_days = 365
    mfa                     = "ON" # A second factor for all.
    tier                    = "GOLD"
    email_identity_arn      = "billing@example.com"
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
