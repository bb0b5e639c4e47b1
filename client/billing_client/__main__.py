"""Runs `billing` as `python -m billing_client`."""

from __future__ import annotations

from billing_client.cli.main import main

if __name__ == "__main__":
    main()
