"""What builds, runs, deploys, loads and breaks the service; nothing of the product imports it."""
