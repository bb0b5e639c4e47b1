"""The rehearsal of a deployment: real Terraform, emulated AWS, driven over HTTP."""
