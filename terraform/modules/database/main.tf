locals {
  identifier    = "${var.prefix}-db"
  database_name = "billing"
  # Owns the ledger and migrates it; the functions log in as roles that can only call functions.
  owner = "billing_migrator"
  port  = 5432
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

resource "aws_db_subnet_group" "this" {
  name        = local.identifier
  description = "Private subnets of the billing database"
  subnet_ids  = var.subnet_ids
}

resource "aws_security_group" "database" {
  name        = local.identifier
  description = "Database of the billing service"
  vpc_id      = var.vpc_id

  tags = { Name = local.identifier }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "database_from_functions" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = var.functions_security_group_id
  description                  = "Postgres from the functions"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_vpc_security_group_egress_rule" "functions_to_database" {
  security_group_id            = var.functions_security_group_id
  referenced_security_group_id = aws_security_group.database.id
  description                  = "Postgres to the database"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_db_instance" "this" {
  identifier     = local.identifier
  engine         = "postgres"
  engine_version = var.engine_version
  instance_class = var.instance_class
  db_name        = local.database_name
  port           = local.port

  # RDS makes the owner's password, keeps it in Secrets Manager and changes it every week: it is in
  # no state and no plan.
  username                      = local.owner
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  storage_type          = "gp3"
  allocated_storage     = var.allocated_storage_gib
  max_allocated_storage = var.max_storage_gib
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  multi_az               = var.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.database.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  iam_database_authentication_enabled = var.iam_authentication_enabled

  backup_retention_period   = var.backup_retention_days
  backup_window             = var.backup_window
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.final_snapshot
  final_snapshot_identifier = var.final_snapshot ? "${local.identifier}-final" : null

  maintenance_window          = var.maintenance_window
  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = var.allow_major_version_upgrade
  apply_immediately           = var.apply_immediately

  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = var.performance_insights_retention_days
  monitoring_interval                   = var.monitoring_interval_seconds
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports       = var.log_exports

  # RDS takes this key once and for all; asking for another would fail every apply.
  lifecycle {
    ignore_changes = [performance_insights_kms_key_id]
  }

  # Else RDS makes the log groups itself: unencrypted, and kept for ever.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy_attachment.monitoring]
}
