mock_provider "aws" {
  source = "../../tests/mocks"
}

override_resource {
  target = aws_secretsmanager_secret.role["writer"]

  values = {
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bill-test/database/writer-aaaaaa"
  }
}

override_resource {
  target = aws_secretsmanager_secret.role["reader"]

  values = {
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bill-test/database/reader-bbbbbb"
  }
}

override_resource {
  target = aws_secretsmanager_secret.role["operator"]

  values = {
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bill-test/database/operator-cccccc"
  }
}

override_resource {
  target = aws_secretsmanager_secret.cache

  values = {
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bill-test/cache-dddddd"
  }
}

variables {
  prefix      = "bill-test"
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  cache_connection = {
    host                 = "master.bill-test-cache.abc.euc1.cache.amazonaws.com"
    port                 = 6379
    username             = "bill-test-cache-functions"
    replication_group_id = "bill-test-cache"
  }
}

run "every_database_role_of_the_functions_has_a_secret_of_its_own" {
  assert {
    condition     = { for role, secret in aws_secretsmanager_secret.role : role => secret.name } == { for role in ["writer", "reader", "operator"] : role => "bill-test/database/${role}" }
    error_message = "Writer, reader and operator must each have a secret of their own."
  }

  assert {
    condition     = output.role_secret_arns == { for role, secret in aws_secretsmanager_secret.role : role => secret.arn } && aws_secretsmanager_secret.cache.name == "bill-test/cache"
    error_message = "Each role's secret must be told, and the cache must have one, too."
  }
}

run "the_state_holds_no_password" {
  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.role : version.secret_string == null && version.secret_string_wo == null && version.secret_string_wo_version == 1])
    error_message = "Passwords of the roles must be written, not kept."
  }
}

run "one_role_gets_a_new_password_and_the_others_keep_theirs" {
  variables {
    password_versions = {
      reader = 2
    }
  }

  assert {
    condition     = { for role, version in aws_secretsmanager_secret_version.role : role => version.secret_string_wo_version } == { writer = 1, reader = 2, operator = 1 }
    error_message = "Only the reader's password may change."
  }
}

run "the_caches_secret_tells_where_the_cache_is_and_how_to_log_in" {
  assert {
    condition     = jsondecode(aws_secretsmanager_secret_version.cache.secret_string) == merge(var.cache_connection, { password = null, tls = true, authentication = "iam" })
    error_message = "Functions must find the cache over TLS, and no password."
  }
}

run "secrets_are_encrypted_with_the_key_of_the_stage_and_can_be_brought_back" {
  assert {
    condition     = alltrue([for secret in concat(values(aws_secretsmanager_secret.role), [aws_secretsmanager_secret.cache]) : secret.kms_key_id == var.kms_key_arn && secret.recovery_window_in_days == 30])
    error_message = "Secrets must be encrypted with the stage's key and kept for a month when they are deleted."
  }
}

run "no_secret_is_read_without_tls_or_by_the_public" {
  assert {
    condition = { for name, policy in aws_secretsmanager_secret_policy.tls_only : name => policy.secret_arn } == {
      writer   = aws_secretsmanager_secret.role["writer"].arn
      reader   = aws_secretsmanager_secret.role["reader"].arn
      operator = aws_secretsmanager_secret.role["operator"].arn
      cache    = aws_secretsmanager_secret.cache.arn
    }
    error_message = "Every secret must have a policy of its own."
  }

  assert {
    condition = alltrue([
      for name, document in data.aws_iam_policy_document.tls_only : alltrue([
        one(document.statement).effect == "Deny",
        tolist(one(document.statement).resources) == tolist([local.secrets[name]]),
        one(one(document.statement).condition).variable == "aws:SecureTransport",
        tolist(one(one(document.statement).condition).values) == tolist(["false"]),
        aws_secretsmanager_secret_policy.tls_only[name].block_public_policy,
      ])
    ])
    error_message = "A policy must only deny, on its own secret, what comes without TLS, and must not be public."
  }
}

run "nothing_rotates_without_a_function_to_do_it" {
  assert {
    condition     = length(aws_secretsmanager_secret_rotation.role) + length(aws_lambda_permission.rotation) == 0
    error_message = "Without a function there must be no rotation."
  }
}

run "a_function_rotates_every_role_and_nobody_else_may_call_it" {
  variables {
    rotation_lambda_arn = "arn:aws:lambda:eu-central-1:123456789012:function:rotate"
    rotation_days       = 7
  }

  assert {
    condition = { for role, rotation in aws_secretsmanager_secret_rotation.role : role => rotation.rotation_rules[0].automatically_after_days if !rotation.rotate_immediately } == {
      writer = 7, reader = 7, operator = 7
    }
    error_message = "Every role's password must be rotated every week, and not before the database knows the roles."
  }

  assert {
    condition     = alltrue([for role, permission in aws_lambda_permission.rotation : permission.principal == "secretsmanager.amazonaws.com" && permission.source_arn == aws_secretsmanager_secret.role[role].arn])
    error_message = "Secrets Manager may call the function on behalf of these secrets only."
  }
}

run "a_temporary_deployment_frees_its_names_at_once" {
  command = plan

  variables {
    recovery_window_days = 0
  }

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.role : secret.recovery_window_in_days == 0])
    error_message = "Secrets must be gone at once."
  }
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    password_versions    = { writer = 0 }
    recovery_window_days = 1
    rotation_lambda_arn  = "rotate"
    rotation_days        = 730
  }

  expect_failures = [var.password_versions, var.recovery_window_days, var.rotation_lambda_arn, var.rotation_days]
}
