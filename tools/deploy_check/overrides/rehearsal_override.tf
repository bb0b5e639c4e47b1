module "database" {
  rehearsal_database = var.rehearsal_database
}

module "cache" {
  rehearsal_cache_port = var.rehearsal_cache_port
}
