# The service for residents. Set alarm_emails, and api.domain once there is a certificate.
prefix = "bill-prod"
region = "eu-central-1"

network = {
  zone_count = 3
}

database = {
  instance_class        = "db.m7g.large"
  allocated_storage_gib = 100
  max_storage_gib       = 1000
  max_connections       = 300
  backup_retention_days = 35
}

cache = {
  node_type  = "cache.t4g.small"
  node_count = 3
}

functions = {
  auth      = { concurrency = 20 }
  utils     = { concurrency = 60 }
  histories = { concurrency = 30 }
  payments  = { concurrency = 60 }
}
