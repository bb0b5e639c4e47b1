# Ministack resolves every replication group to one host and port, which it reports as its own.
locals {
  port = var.rehearsal_cache_port
}
