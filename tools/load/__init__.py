"""Load on the service through its public client, and what came of it; see docs/load.md."""
