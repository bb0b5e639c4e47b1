"""``python -m benchmarks.load``: see docs/load.md."""

from benchmarks.load.cli import run

if __name__ == "__main__":
    run()
