"""The `billing-admin` command."""
