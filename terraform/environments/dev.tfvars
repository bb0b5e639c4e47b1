# A small deployment that may be thrown away: about the least that runs.
prefix = "bill-dev"
region = "eu-central-1"

deletion_protection = false
log_retention_days  = 30

database = {
  instance_class        = "db.t4g.small"
  allocated_storage_gib = 20
  max_storage_gib       = 50
  max_connections       = 100
  multi_az              = false
  backup_retention_days = 7
}

cache = {
  node_type = "cache.t4g.micro"
}

functions = {
  auth      = { concurrency = 2 }
  utils     = { concurrency = 4 }
  histories = { concurrency = 2 }
  payments  = { concurrency = 4 }
}
