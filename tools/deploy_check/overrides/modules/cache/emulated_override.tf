# Ministack resolves every replication group to one host and port, which it reports as its own.
locals {
  port = var.emulated_cache_port
}
