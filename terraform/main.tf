# The whole service. Names, sizes and timeouts that the service on one machine shares are in service.json.

locals {
  service = jsondecode(file("${path.module}/service.json"))

  # What var.functions leaves out, service.json says.
  functions = {
    for name, default in local.service.functions : name => merge(
      default,
      { for key, value in try(var.functions[name], {}) : key => value if value != null },
    )
  }

  # What var.identity leaves out, service.json says.
  identity = merge(local.service.identity, { for key, value in var.identity : key => value if value != null })

  # What var.api.throttles leaves out, service.json says.
  throttles = merge(local.service.throttles, { for kind, limit in var.api.throttles : kind => limit if limit != null })

  queues = {
    for operation, queue in local.service.queues.requests : operation => merge(
      queue, { function_timeout_seconds = local.functions[operation].timeout_seconds }
    )
  }

  # Every copy of a function holds one connection of the database.
  function_connections = sum([for function in values(local.functions) : function.concurrency])
  # For RDS itself, for superusers and for people.
  connections_kept_free = 15
}

module "network" {
  source = "./modules/network"

  prefix                  = var.prefix
  cidr_block              = var.network.cidr_block
  zone_count              = var.network.zone_count
  flow_logs_enabled       = !var.emulated
  flow_log_retention_days = var.log_retention_days
  kms_key_arn             = aws_kms_key.this.arn
}

module "database" {
  source = "./modules/database"

  prefix                      = var.prefix
  vpc_id                      = module.network.vpc_id
  subnet_ids                  = module.network.data_subnet_ids
  functions_security_group_id = module.network.functions_security_group_id
  kms_key_arn                 = aws_kms_key.this.arn
  engine_version              = var.database.engine_version
  instance_class              = var.database.instance_class
  allocated_storage_gib       = var.database.allocated_storage_gib
  max_storage_gib             = var.database.max_storage_gib
  max_connections             = var.database.max_connections
  multi_az                    = var.database.multi_az
  backup_retention_days       = var.database.backup_retention_days
  proxy_enabled               = var.database.proxy_enabled
  role_secret_arns            = module.secrets.role_secret_arns
  log_exports                 = var.emulated ? [] : ["postgresql", "upgrade"]
  log_retention_days          = var.log_retention_days
  deletion_protection         = var.deletion_protection
  final_snapshot              = var.deletion_protection
}

module "cache" {
  source = "./modules/cache"

  prefix                      = var.prefix
  vpc_id                      = module.network.vpc_id
  subnet_ids                  = module.network.data_subnet_ids
  functions_security_group_id = module.network.functions_security_group_id
  kms_key_arn                 = aws_kms_key.this.arn
  engine                      = var.cache.engine
  node_type                   = var.cache.node_type
  node_count                  = var.cache.node_count
}

module "secrets" {
  source = "./modules/secrets"

  prefix               = var.prefix
  kms_key_arn          = aws_kms_key.this.arn
  password_versions    = var.password_versions
  recovery_window_days = var.deletion_protection ? 30 : 0

  cache_connection = {
    host                 = module.cache.host
    port                 = module.cache.port
    username             = module.cache.username
    replication_group_id = module.cache.replication_group_id
  }
}

module "identity" {
  source = "./modules/identity"

  prefix                  = var.prefix
  token_minutes           = local.identity.token_minutes
  refresh_token_days      = local.identity.refresh_token_days
  password_minimum_length = local.identity.password_minimum_length
  password_kinds          = local.identity.password_kinds
  temporary_password_days = local.identity.temporary_password_days
  login_flows             = local.identity.login_flows
  mfa                     = var.identity.mfa
  tier                    = var.identity.tier
  threat_protection       = var.identity.threat_protection
  email_identity_arn      = var.identity.email_identity_arn
  deletion_protection     = var.deletion_protection
}

module "queues" {
  source = "./modules/queues"

  prefix                        = var.prefix
  queues                        = local.queues
  visibility_timeouts           = local.service.queues.visibility_timeouts
  max_receive_count             = local.service.queues.max_receive_count
  dead_letter_retention_seconds = local.service.queues.dead_letter_retention_seconds
  gateway_role_arn              = module.api.gateway_role_arn
  consumer_role_arns            = module.functions.role_arns
}

module "api" {
  source = "./modules/api"

  prefix                 = var.prefix
  stage_name             = var.stage
  user_pool_arn          = module.identity.user_pool_arn
  user_pool_client_id    = module.identity.client_id
  request_queue_arns     = module.queues.request_queue_arns
  kms_key_arn            = aws_kms_key.this.arn
  log_retention_days     = var.log_retention_days
  throttles              = local.throttles
  requests_per_day       = var.api.requests_per_day
  firewall               = var.api.firewall
  manage_account_logging = var.api.manage_account_logging
  domain                 = var.api.domain
}

module "functions" {
  source = "./modules/functions"

  prefix              = var.prefix
  functions           = local.functions
  subnet_ids          = module.network.function_subnet_ids
  security_group_id   = module.network.functions_security_group_id
  kms_key_arn         = aws_kms_key.this.arn
  request_queue_arns  = module.queues.request_queue_arns
  request_queue_urls  = module.queues.request_queue_urls
  gateway_role_arn    = module.api.gateway_role_arn
  max_receive_count   = local.service.queues.max_receive_count
  role_secret_arns    = merge(module.secrets.role_secret_arns, { migrator = module.database.master_secret_arn })
  cache_secret_arn    = module.secrets.cache_secret_arn
  cache_connect_arns  = [module.cache.replication_group_arn, module.cache.user_arn]
  migration_triggers  = { passwords = jsonencode(var.password_versions) }
  reconcile_schedule  = var.reconcile_schedule
  time_zone           = var.time_zone
  log_level           = var.log_level
  log_retention_days  = var.log_retention_days
  reserve_concurrency = var.reserve_concurrency

  database = {
    host          = module.database.host
    instance_host = module.database.instance_host
    port          = module.database.port
    name          = module.database.database_name
    sslmode       = var.emulated ? "prefer" : "verify-full"
  }

  user_pool = {
    arn       = module.identity.user_pool_arn
    id        = module.identity.user_pool_id
    client_id = module.identity.client_id
  }
}

module "observability" {
  source = "./modules/observability"

  prefix                   = var.prefix
  kms_key_arn              = aws_kms_key.this.arn
  alarm_emails             = var.alarm_emails
  thresholds               = var.alarm_thresholds
  function_names           = module.functions.function_names
  reconcile_log_group_name = module.functions.log_group_names["reconcile"]
  auth_log_group_name      = module.functions.log_group_names["auth"]
  web_acl_name             = module.api.web_acl_name
  request_queue_names      = module.queues.request_queue_names
  dead_letter_queue_names  = module.queues.dead_letter_queue_names
  cache_node_ids           = module.cache.node_ids
  cache_log_group_names    = { for name, group in module.functions.log_group_names : name => group if local.functions[name].cache }
  invariants               = jsondecode(file("${path.module}/invariants.json"))

  # Operators' functions take as long as what they are given; the others must be quick.
  function_timeouts_seconds = { for name, function in local.functions : name => function.timeout_seconds if function.database_role != "operator" }

  api = {
    name           = module.api.rest_api_name
    stage          = module.api.stage_name
    post_resources = module.api.post_resources
  }

  database = {
    instance_identifier = module.database.instance_identifier
    max_connections     = module.database.max_connections
  }
}
