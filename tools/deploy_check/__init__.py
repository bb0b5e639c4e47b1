"""Deploys the service to emulators, uses it and destroys it; see docs/deploy-check.md."""
