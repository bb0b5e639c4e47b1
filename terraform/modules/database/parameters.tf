locals {
  # What a major version names its parameter group family by.
  family = "postgres${split(".", var.engine_version)[0]}"

  parameters = {
    password_encryption = "scram-sha-256"

    statement_timeout                   = var.timeouts_ms.statement
    lock_timeout                        = var.timeouts_ms.lock
    idle_in_transaction_session_timeout = var.timeouts_ms.idle_in_transaction
    # A function that Lambda puts away says no goodbye: these free its connection.
    idle_session_timeout    = var.timeouts_ms.idle_session
    tcp_keepalives_idle     = 60
    tcp_keepalives_interval = 10
    tcp_keepalives_count    = 6

    # The log holds no personal data: no text of statements, neither all, slow nor failed, and no
    # DETAIL, which quotes the rows that broke a rule. Performance Insights has statements without
    # their values.
    log_statement              = "none"
    log_min_duration_statement = var.slow_statement_log_ms
    log_min_error_statement    = "panic"
    log_error_verbosity        = "terse"
    log_lock_waits             = 1
  }

  # Read by the server at its start only.
  static_parameters = {
    max_connections = var.max_connections
  }
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${local.identifier}-"
  family      = local.family
  description = "Settings of the billing database"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  dynamic "parameter" {
    for_each = local.static_parameters

    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = "pending-reboot"
    }
  }

  # A major upgrade needs a group of the next family beside the one in use.
  lifecycle {
    create_before_destroy = true
  }
}
