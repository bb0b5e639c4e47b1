"""``python -m tools.load``: see docs/load.md."""

from tools.load.cli import run

if __name__ == "__main__":
    run()
