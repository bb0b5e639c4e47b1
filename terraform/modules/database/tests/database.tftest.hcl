mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  prefix                      = "bill-test"
  vpc_id                      = "vpc-1"
  subnet_ids                  = ["subnet-1", "subnet-2"]
  functions_security_group_id = "sg-functions"
  kms_key_arn                 = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "data_is_encrypted_with_the_key_of_the_stage_wherever_it_rests" {
  assert {
    condition = alltrue([
      aws_db_instance.this.storage_encrypted,
      aws_db_instance.this.kms_key_id == var.kms_key_arn,
      aws_db_instance.this.performance_insights_enabled,
      aws_db_instance.this.performance_insights_kms_key_id == var.kms_key_arn,
    ])
    error_message = "Storage and Performance Insights must be encrypted with the stage's key."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.kms_key_arn && group.retention_in_days == 365])
    error_message = "Logs must be encrypted with the stage's key and end some day."
  }
}

run "the_owners_password_is_made_and_kept_by_rds" {
  assert {
    condition = alltrue([
      aws_db_instance.this.username == "billing_migrator",
      aws_db_instance.this.password == null,
      aws_db_instance.this.manage_master_user_password,
      aws_db_instance.this.master_user_secret_kms_key_id == var.kms_key_arn,
      output.master_secret_arn == "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1",
    ])
    error_message = "RDS must make billing_migrator's password, keep it under the stage's key, and its secret must be told."
  }
}

run "the_server_rejects_connections_without_tls_and_weak_password_hashes" {
  assert {
    condition = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value if contains(["rds.force_ssl", "password_encryption"], parameter.name) } == {
      "rds.force_ssl"     = "1"
      password_encryption = "scram-sha-256"
    }
    error_message = "TLS must be required, and passwords stored as scram-sha-256."
  }

  assert {
    condition     = aws_db_instance.this.parameter_group_name == aws_db_parameter_group.this.name
    error_message = "The instance must use the parameter group."
  }
}

run "statements_locks_and_idle_transactions_time_out" {
  assert {
    condition = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => tonumber(parameter.value) if endswith(parameter.name, "_timeout") } == {
      statement_timeout                   = 900000
      lock_timeout                        = 30000
      idle_in_transaction_session_timeout = 30000
      idle_session_timeout                = 1800000
    }
    error_message = "Statements, locks and idle sessions must all have a timeout."
  }
}

run "the_log_of_the_server_holds_no_personal_data" {
  assert {
    condition = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value if contains(["log_statement", "log_min_duration_statement", "log_min_error_statement", "log_error_verbosity"], parameter.name) } == {
      log_statement              = "none"
      log_min_duration_statement = "-1"
      log_min_error_statement    = "panic"
      log_error_verbosity        = "terse"
    }
    error_message = "The text of statements and the rows in errors must stay out of the log."
  }
}

run "the_database_survives_a_zone_a_mistake_and_a_destroy" {
  assert {
    condition = alltrue([
      aws_db_instance.this.multi_az,
      aws_db_instance.this.backup_retention_period == 14,
      aws_db_instance.this.copy_tags_to_snapshot,
      !aws_db_instance.this.delete_automated_backups,
      aws_db_instance.this.max_allocated_storage == 500,
    ])
    error_message = "There must be a standby in another zone, backups of two weeks that outlive the instance, and room to grow."
  }

  assert {
    condition = alltrue([
      aws_db_instance.this.deletion_protection,
      !aws_db_instance.this.skip_final_snapshot,
      aws_db_instance.this.final_snapshot_identifier == "bill-test-db-final",
    ])
    error_message = "The instance must have deletion protection, and leave a snapshot when it may."
  }

  assert {
    condition     = !aws_db_instance.this.allow_major_version_upgrade && !aws_db_instance.this.apply_immediately
    error_message = "Neither a typing error in the version nor a new size may take the database away in the middle of the day."
  }
}

run "only_the_functions_reach_the_database" {
  assert {
    condition = alltrue([
      !aws_db_instance.this.publicly_accessible,
      aws_db_instance.this.vpc_security_group_ids == toset([aws_security_group.database.id]),
      aws_db_instance.this.db_subnet_group_name == aws_db_subnet_group.this.name,
      aws_db_subnet_group.this.subnet_ids == toset(["subnet-1", "subnet-2"]),
    ])
    error_message = "The instance must be private, in the subnets that it was given, with its own security group only."
  }

  assert {
    condition = alltrue([
      aws_vpc_security_group_ingress_rule.database_from_functions.referenced_security_group_id == "sg-functions",
      aws_vpc_security_group_ingress_rule.database_from_functions.security_group_id == aws_security_group.database.id,
      aws_vpc_security_group_ingress_rule.database_from_functions.cidr_ipv4 == null,
      aws_vpc_security_group_ingress_rule.database_from_functions.from_port == 5432,
      aws_vpc_security_group_ingress_rule.database_from_functions.to_port == 5432,
      aws_vpc_security_group_egress_rule.functions_to_database.security_group_id == "sg-functions",
      aws_vpc_security_group_egress_rule.functions_to_database.referenced_security_group_id == aws_security_group.database.id,
    ])
    error_message = "The functions' group must be let out to the database and into it, on Postgres' port, and no address."
  }
}

run "rds_may_write_readings_and_no_other_account_may_use_its_role" {
  assert {
    condition     = aws_db_instance.this.monitoring_interval == 60 && aws_db_instance.this.monitoring_role_arn == aws_iam_role.monitoring.arn
    error_message = "Enhanced monitoring must run every minute."
  }

  assert {
    condition = alltrue([
      for service, document in {
        "monitoring.rds.amazonaws.com" = data.aws_iam_policy_document.monitoring_assume
        "rds.amazonaws.com"            = data.aws_iam_policy_document.proxy_assume
        } : alltrue([
          one(one(document.statement).principals) == { type = "Service", identifiers = toset([service]) },
          one(one(document.statement).condition) == { test = "StringEquals", variable = "aws:SourceAccount", values = tolist(["123456789012"]) },
      ])
    ])
    error_message = "RDS may take the roles on behalf of this account only, and nobody else."
  }
}

run "without_a_proxy_functions_connect_to_the_instance" {
  assert {
    condition     = output.host == "bill-test-db.abc.eu-central-1.rds.amazonaws.com" && output.proxy_name == null
    error_message = "Functions must be told the instance's host."
  }

  assert {
    condition     = length(aws_db_proxy.this) + length(aws_iam_role.proxy) + length(aws_security_group.proxy) == 0
    error_message = "Nothing of the proxy may be made."
  }
}

run "with_a_proxy_functions_connect_to_it_and_migrations_to_the_instance" {
  variables {
    proxy_enabled = true
    role_secret_arns = {
      writer = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bill-test/database/writer-a"
      reader = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bill-test/database/reader-a"
    }
  }

  assert {
    condition = alltrue([
      output.host == "bill-test-db-proxy.proxy-abc.eu-central-1.rds.amazonaws.com",
      output.instance_host == "bill-test-db.abc.eu-central-1.rds.amazonaws.com",
      aws_db_proxy_target.this["this"].db_instance_identifier == aws_db_instance.this.identifier,
    ])
    error_message = "Functions must be told the proxy's host, migrations the instance's, to which the proxy leads."
  }

  assert {
    condition     = aws_db_proxy.this["this"].require_tls && !aws_db_proxy.this["this"].debug_logging
    error_message = "The proxy must reject connections without TLS and log no statements."
  }

  assert {
    condition = alltrue([
      toset([for auth in aws_db_proxy.this["this"].auth : auth.secret_arn]) == toset(values(var.role_secret_arns)),
      toset([for auth in aws_db_proxy.this["this"].auth : auth.client_password_auth_type]) == toset(["POSTGRES_SCRAM_SHA_256"]),
    ])
    error_message = "The proxy must know every role's secret and no other, and let functions log in by SCRAM."
  }

  assert {
    condition = { for statement in data.aws_iam_policy_document.proxy["this"].statement : statement.sid => statement.resources } == {
      ReadRoleSecrets    = toset(values(var.role_secret_arns))
      DecryptRoleSecrets = toset([var.kms_key_arn])
    }
    error_message = "The proxy's role may read the roles' secrets and use the stage's key, no more."
  }

  assert {
    condition = alltrue([
      aws_vpc_security_group_ingress_rule.proxy_from_functions["this"].referenced_security_group_id == "sg-functions",
      aws_vpc_security_group_ingress_rule.database_from_proxy["this"].referenced_security_group_id == aws_security_group.proxy["this"].id,
      aws_vpc_security_group_ingress_rule.database_from_proxy["this"].security_group_id == aws_security_group.database.id,
    ])
    error_message = "Functions must reach the proxy and the proxy the database, by reference."
  }
}

run "a_temporary_deployment_can_be_destroyed" {
  variables {
    deletion_protection = false
    final_snapshot      = false
    log_exports         = []
  }

  assert {
    condition = alltrue([
      !aws_db_instance.this.deletion_protection,
      aws_db_instance.this.skip_final_snapshot,
      aws_db_instance.this.final_snapshot_identifier == null,
      length(aws_cloudwatch_log_group.this) == 0,
    ])
    error_message = "Neither protection, a snapshot nor logs may hold the instance."
  }
}

run "version_and_connections_decide_the_parameter_group" {
  command = plan

  variables {
    engine_version  = "16.9"
    max_connections = 321
  }

  assert {
    condition     = aws_db_parameter_group.this.family == "postgres16"
    error_message = "Postgres 16 needs a parameter group of its own family."
  }

  assert {
    condition = { for parameter in aws_db_parameter_group.this.parameter : parameter.value => parameter.apply_method if parameter.name == "max_connections" } == {
      # The server reads it at its start only.
      "321" = "pending-reboot"
    }
    error_message = "The server must take as many connections as asked for."
  }

  assert {
    condition     = output.max_connections == 321
    error_message = "The connections that functions are counted against must be those of the server."
  }
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    engine_version                      = "12"
    instance_class                      = "t4g.medium" # One of another service.
    allocated_storage_gib               = 10
    backup_retention_days               = 1
    backup_window                       = "1am"
    maintenance_window                  = "03:00-04:00" # No days.
    max_connections                     = 10
    timeouts_ms                         = { statement = 0, lock = 0 } # A timeout of never.
    slow_statement_log_ms               = 0                           # Nearly every statement.
    monitoring_interval_seconds         = 0
    performance_insights_retention_days = 30
    proxy_enabled                       = true # One that knows no secret.
  }

  expect_failures = [
    var.engine_version,
    var.instance_class,
    var.allocated_storage_gib,
    var.backup_retention_days,
    var.backup_window,
    var.maintenance_window,
    var.max_connections,
    var.timeouts_ms,
    var.slow_statement_log_ms,
    var.monitoring_interval_seconds,
    var.performance_insights_retention_days,
    var.role_secret_arns,
  ]
}

run "storage_that_can_not_grow_and_a_lock_timeout_above_the_statement_timeout_are_rejected" {
  command = plan

  variables {
    max_storage_gib = 55
    timeouts_ms     = { statement = 5000, lock = 6000 }
  }

  expect_failures = [var.max_storage_gib, var.timeouts_ms]
}
