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

run "results_are_encrypted_on_the_wire_and_on_disk" {
  assert {
    condition = alltrue([
      aws_elasticache_replication_group.this.transit_encryption_enabled,
      aws_elasticache_replication_group.this.transit_encryption_mode == "required",
      aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true",
      aws_elasticache_replication_group.this.kms_key_id == var.kms_key_arn,
    ])
    error_message = "The cache must reject connections without TLS, and encrypt its disks with the stage's key."
  }
}

run "a_function_logs_in_by_its_role_and_can_only_read_and_write_results" {
  assert {
    condition     = one(aws_elasticache_user.functions.authentication_mode).type == "iam" && aws_elasticache_user.functions.user_id == aws_elasticache_user.functions.user_name
    error_message = "The user must log in by IAM, under a name that is its id."
  }

  assert {
    condition     = aws_elasticache_user.functions.access_string == "on ~* -@all +get +set +ping +client|setinfo"
    error_message = "The user must not be able to flush, list or configure."
  }

  assert {
    condition = alltrue([
      aws_elasticache_replication_group.this.user_group_ids == toset([aws_elasticache_user_group.this.user_group_id]),
      aws_elasticache_user_group.this.user_ids == toset([aws_elasticache_user.functions.user_id]),
      aws_elasticache_user_group.this.engine == "valkey",
      aws_elasticache_user.functions.engine == "valkey",
    ])
    error_message = "On Valkey there must be no user but that of the functions."
  }
}

run "on_redis_the_default_user_has_no_permission" {
  variables {
    engine = "redis"
  }

  assert {
    condition     = aws_elasticache_user.disabled["default"].user_name == "default" && aws_elasticache_user.disabled["default"].access_string == "off -@all"
    error_message = "The default user must be off and have no right."
  }

  assert {
    condition     = aws_elasticache_user_group.this.user_ids == toset([aws_elasticache_user.functions.user_id, aws_elasticache_user.disabled["default"].user_id])
    error_message = "AWS's own default user, who can do everything, must not be in the group."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.engine_version == "7.1" && aws_elasticache_parameter_group.this.family == "redis7"
    error_message = "Engine, version and parameter group must fit each other."
  }
}

run "a_failed_node_is_replaced_and_a_full_cache_evicts_the_oldest" {
  assert {
    condition = alltrue([
      aws_elasticache_replication_group.this.automatic_failover_enabled,
      aws_elasticache_replication_group.this.multi_az_enabled,
      aws_elasticache_replication_group.this.num_cache_clusters == 2,
      # Computed results are not worth keeping.
      aws_elasticache_replication_group.this.snapshot_retention_limit == 0,
    ])
    error_message = "A replica in another zone must take over, and no snapshot."
  }

  assert {
    condition = alltrue([
      aws_elasticache_replication_group.this.parameter_group_name == aws_elasticache_parameter_group.this.name,
      one([for parameter in aws_elasticache_parameter_group.this.parameter : parameter.value if parameter.name == "maxmemory-policy"]) == "allkeys-lru",
    ])
    error_message = "A full cache must drop what was not used for the longest time, whether it expires or not."
  }
}

run "only_the_functions_reach_the_cache" {
  assert {
    condition = alltrue([
      aws_vpc_security_group_ingress_rule.cache_from_functions.security_group_id == aws_security_group.cache.id,
      aws_vpc_security_group_ingress_rule.cache_from_functions.referenced_security_group_id == "sg-functions",
      aws_vpc_security_group_ingress_rule.cache_from_functions.cidr_ipv4 == null,
      aws_vpc_security_group_ingress_rule.cache_from_functions.from_port == 6379,
      aws_vpc_security_group_ingress_rule.cache_from_functions.to_port == 6379,
      aws_vpc_security_group_egress_rule.functions_to_cache.security_group_id == "sg-functions",
      aws_vpc_security_group_egress_rule.functions_to_cache.referenced_security_group_id == aws_security_group.cache.id,
    ])
    error_message = "The functions' group must be let out to the cache and into it, and no address."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.security_group_ids == toset([aws_security_group.cache.id]) && aws_elasticache_subnet_group.this.subnet_ids == toset(["subnet-1", "subnet-2"])
    error_message = "The cache must stand in the subnets that it was given, with its own security group only."
  }
}

run "functions_and_alarms_get_the_address_of_the_cache" {
  variables {
    node_count = 3
  }

  assert {
    condition     = output.host == "master.bill-test-cache.abc.euc1.cache.amazonaws.com" && output.port == 6379
    error_message = "Functions must connect to the primary."
  }

  assert {
    condition     = output.node_ids == ["bill-test-cache-001", "bill-test-cache-002", "bill-test-cache-003"]
    error_message = "Every node must be named as its metrics are."
  }
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    engine             = "memcached"
    node_type          = "db.t4g.small" # One of another service.
    node_count         = 1
    maintenance_window = "03:00-04:00" # No days.
  }

  expect_failures = [var.engine, var.node_type, var.node_count, var.maintenance_window]
}
