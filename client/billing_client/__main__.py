"""``python -m billing_client`` is ``billing``."""

from billing_client.cli import main

if __name__ == "__main__":
    main()
