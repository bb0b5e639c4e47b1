# Computed results only: whatever is lost here is computed again from Postgres, and no result is used
# whose version is not the one that Postgres has. So there are no snapshots, and the fullest cache
# drops what was not used for the longest time.

locals {
  identifier = "${var.prefix}-cache"
  port       = 6379

  engines = {
    valkey = { version = "8.0", family = "valkey8" }
    redis  = { version = "7.1", family = "redis7" }
  }
  engine = local.engines[var.engine]

  parameters = {
    # Results expire, yet a full cache must not wait for that.
    maxmemory-policy  = "allkeys-lru"
    maxmemory-samples = 5
    # The service uses one database, number 0.
    databases = 1
    # Seconds. A function that Lambda puts away says no goodbye: these free its connection.
    timeout       = 3600
    tcp-keepalive = 60
  }
}

resource "aws_elasticache_subnet_group" "this" {
  name        = local.identifier
  description = "Private subnets of the billing cache"
  subnet_ids  = var.subnet_ids
}

resource "aws_security_group" "cache" {
  name        = local.identifier
  description = "Cache of the billing service"
  vpc_id      = var.vpc_id

  tags = { Name = local.identifier }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "cache_from_functions" {
  security_group_id            = aws_security_group.cache.id
  referenced_security_group_id = var.functions_security_group_id
  description                  = "Redis protocol from the functions"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_vpc_security_group_egress_rule" "functions_to_cache" {
  security_group_id            = var.functions_security_group_id
  referenced_security_group_id = aws_security_group.cache.id
  description                  = "Redis protocol to the cache"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${local.identifier}-${local.engine.family}"
  family      = local.engine.family
  description = "Settings of the billing cache"

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = local.identifier
  description          = "Computed results of the billing service"
  engine               = var.engine
  engine_version       = local.engine.version
  node_type            = var.node_type
  port                 = local.port
  parameter_group_name = aws_elasticache_parameter_group.this.name

  num_cache_clusters         = var.node_count
  automatic_failover_enabled = true
  multi_az_enabled           = true

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [aws_security_group.cache.id]

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]

  snapshot_retention_limit = 0
  # Minor versions come by themselves, AWS's default.
  maintenance_window = var.maintenance_window
  apply_immediately  = var.apply_immediately

  # Another key means another cache: that is done on purpose, with -replace, and not by the way.
  lifecycle {
    ignore_changes = [kms_key_id]
  }
}
