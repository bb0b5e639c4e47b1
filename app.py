"""The Chalice app: one handler per operation, a few lines each.

Chalice imports this file while it packages, with no environment, so nothing here reads settings
or connects. Names in `${...}` are Terraform expressions that end up in the package's Terraform;
sizes, timeouts and batches are in terraform/service.json.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, Rate, SQSEvent

from chalicelib import logs
from chalicelib.settings import settings
from chalicelib.wiring import Wiring

app = Chalice(app_name="utilities-billing", configure_logs=False)

Json = dict[str, Any]


@cache
def _wiring() -> Wiring:
    """Put the function together on its first event."""
    logs.configure(settings().log_level)
    return Wiring(settings())


def _queue(operation: str) -> str:
    return f'${{var.request_queue_arns["{operation}"]}}'


def _batch(operation: str, event: SQSEvent) -> Json:
    return dict(_wiring().batch(operation).handle(event.to_dict()))


@app.on_sqs_message(queue_arn=_queue("auth"))
def auth(event: SQSEvent) -> Json:
    """Log a resident in."""
    return _batch("auth", event)


@app.on_sqs_message(queue_arn=_queue("utils"))
def utils(event: SQSEvent) -> Json:
    """Show what an apartment owes."""
    return _batch("utils", event)


@app.on_sqs_message(queue_arn=_queue("histories"))
def histories(event: SQSEvent) -> Json:
    """Bring a client's copy of the history up to date."""
    return _batch("histories", event)


@app.on_sqs_message(queue_arn=_queue("payments"))
def payments(event: SQSEvent) -> Json:
    """Pay bills."""
    return _batch("payments", event)


@app.schedule(Rate(5, unit=Rate.MINUTES))
def sweep(event: CloudWatchEvent) -> Json:
    """Remove idle reply queues."""
    return _wiring().sweep()


@app.lambda_function()
def migrate(event: Mapping[str, Any], context: Any) -> Json:
    """Bring the database to this package's schema."""
    return _wiring().migrate()


@app.lambda_function()
def add_resident(event: Mapping[str, Any], context: Any) -> Json:
    """Add a resident: a login and a row."""
    return _wiring().operator("add_resident", event)


@app.lambda_function()
def add_apartment(event: Mapping[str, Any], context: Any) -> Json:
    """Add an apartment."""
    return _wiring().operator("add_apartment", event)


@app.lambda_function()
def grant_residency(event: Mapping[str, Any], context: Any) -> Json:
    """Give a resident an apartment."""
    return _wiring().operator("grant_residency", event)


@app.lambda_function()
def end_residency(event: Mapping[str, Any], context: Any) -> Json:
    """Take an apartment from a resident."""
    return _wiring().operator("end_residency", event)


@app.lambda_function()
def disable_login(event: Mapping[str, Any], context: Any) -> Json:
    """Keep a login from logging in."""
    return _wiring().operator("disable_login", event)


@app.lambda_function()
def add_provider(event: Mapping[str, Any], context: Any) -> Json:
    """Add a provider, or rename one."""
    return _wiring().operator("add_provider", event)


@app.lambda_function()
def import_bills(event: Mapping[str, Any], context: Any) -> Json:
    """Issue the bills of a file."""
    return _wiring().operator("import_bills", event)


@app.lambda_function()
def void_bill(event: Mapping[str, Any], context: Any) -> Json:
    """Withdraw a bill."""
    return _wiring().operator("void_bill", event)


@app.lambda_function()
def reverse_payment(event: Mapping[str, Any], context: Any) -> Json:
    """Undo a payment."""
    return _wiring().operator("reverse_payment", event)


@app.lambda_function()
def reconcile(event: Mapping[str, Any], context: Any) -> Json:
    """Check that payments, lines and bills agree."""
    return _wiring().operator("reconcile", event)


if os.environ.get("BILLING_SERVE_API") == "1":
    # `chalice local` only: in the cloud API Gateway serves the contract, and it is no Lambda's.
    from tools.local.gateway.chalice_routes import mount

    mount(app)
