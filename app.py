"""The Chalice app: one handler per function, a few lines each.

Chalice imports this file while it packages, with no environment, so nothing here reads settings
or connects. Names in `${...}` are Terraform expressions that end up in the package's Terraform;
sizes, timeouts and batches are in terraform/service.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, Rate, SQSEvent

from chalicelib import functions, logs
from chalicelib.batch import Batch
from chalicelib.bootstrap import Bootstrap
from chalicelib.operations import OPERATIONS, Operation
from chalicelib.settings import settings

app = Chalice(app_name="utilities-billing", configure_logs=False)

Json = dict[str, Any]


@cache
def _adapters() -> Bootstrap:
    """Put the function together on its first event."""
    logs.configure(settings().log_level)
    return Bootstrap(settings())


def _queue_function(operation: Operation) -> Any:
    """Register the function that works off an operation's queue."""

    def handler(event: SQSEvent) -> Json:
        adapters = _adapters()
        batch = Batch(
            operation,
            adapters,
            queues=adapters.reply_queues,
            prefix=adapters.settings.prefix,
            max_receive_count=adapters.settings.max_receive_count,
        )
        return dict(batch.handle(event.to_dict()))

    # Lambda finds a function by this name in this module.
    handler.__name__ = operation.name
    arn = f'${{var.request_queue_arns["{operation.name}"]}}'
    return app.on_sqs_message(queue_arn=arn)(handler)


globals().update({name: _queue_function(one) for name, one in OPERATIONS.items()})


@app.schedule(Rate(5, unit=Rate.MINUTES))
def sweep(event: CloudWatchEvent) -> Json:
    """Remove idle reply queues."""
    return functions.sweep(_adapters())


@app.lambda_function()
def migrate(event: Mapping[str, Any], context: Any) -> Json:
    """Bring the database to this package's schema."""
    return functions.migrate(_adapters())


@app.lambda_function()
def add_resident(event: Mapping[str, Any], context: Any) -> Json:
    """Add a resident: a login and a row."""
    return functions.operator(_adapters(), "add_resident", event)


@app.lambda_function()
def add_apartment(event: Mapping[str, Any], context: Any) -> Json:
    """Add an apartment."""
    return functions.operator(_adapters(), "add_apartment", event)


@app.lambda_function()
def grant_residency(event: Mapping[str, Any], context: Any) -> Json:
    """Give a resident an apartment."""
    return functions.operator(_adapters(), "grant_residency", event)


@app.lambda_function()
def end_residency(event: Mapping[str, Any], context: Any) -> Json:
    """Take an apartment from a resident."""
    return functions.operator(_adapters(), "end_residency", event)


@app.lambda_function()
def disable_login(event: Mapping[str, Any], context: Any) -> Json:
    """Keep a login from logging in."""
    return functions.operator(_adapters(), "disable_login", event)


@app.lambda_function()
def add_provider(event: Mapping[str, Any], context: Any) -> Json:
    """Add a provider, or rename one."""
    return functions.operator(_adapters(), "add_provider", event)


@app.lambda_function()
def import_bills(event: Mapping[str, Any], context: Any) -> Json:
    """Issue the bills of a file."""
    return functions.operator(_adapters(), "import_bills", event)


@app.lambda_function()
def void_bill(event: Mapping[str, Any], context: Any) -> Json:
    """Withdraw a bill."""
    return functions.operator(_adapters(), "void_bill", event)


@app.lambda_function()
def reverse_payment(event: Mapping[str, Any], context: Any) -> Json:
    """Undo a payment."""
    return functions.operator(_adapters(), "reverse_payment", event)


@app.lambda_function()
def reconcile(event: Mapping[str, Any], context: Any) -> Json:
    """Check that payments, lines and bills agree."""
    return functions.operator(_adapters(), "reconcile", event)
