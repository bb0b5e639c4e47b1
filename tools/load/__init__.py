"""Puts load on the service through its public client and reports latencies; see docs/load.md."""
