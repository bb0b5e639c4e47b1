"""The rehearsal of a deployment: real Terraform, emulated AWS, the applied system driven over HTTP."""
