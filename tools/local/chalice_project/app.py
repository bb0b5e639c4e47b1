"""The API under `chalice local`; see docs/local.md. In the cloud API Gateway serves it.

A Chalice project of its own: the product's `app.py` then needs nothing of this, and Chalice's
reloader, which watches the whole project folder, sees no log or database of the service.
"""

from __future__ import annotations

import sys
from pathlib import Path

from chalice.app import Chalice

# Chalice puts its project folder on the path, not the checkout.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from tools.local.gateway.chalice_routes import mount

app = Chalice(app_name="utilities-billing-local", configure_logs=False)
mount(app)
