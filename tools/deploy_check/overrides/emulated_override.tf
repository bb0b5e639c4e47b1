module "database" {
  emulated_database = var.emulated_database
}

module "cache" {
  emulated_cache_port = var.emulated_cache_port
}
