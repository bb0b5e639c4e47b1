"""``python -m tools.local up | status | down``."""

import sys

try:
    from tools.local.cli import run
except ModuleNotFoundError as missing:
    sys.exit(f"The Python package {missing.name} is not installed. Run `make install`.")

run()
