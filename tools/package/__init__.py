"""Builds what Terraform deploys: `chalice package`, made to fit and to start fast.

Run as `python -m tools.package`; it writes `deployment.zip` and `chalice.tf.json` into the module
`terraform/modules/functions`. The same checkout gives the same bytes.
"""
