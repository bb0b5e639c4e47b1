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
from chalicelib.batch import RESERVE_SECONDS, Batch
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
        context: Any = event.context
        seconds = context.get_remaining_time_in_millis() / 1000
        adapters.deadline.start(seconds - RESERVE_SECONDS)
        batch = Batch(
            operation,
            adapters,
            requests=adapters.request_queue,
            queues=adapters.reply_queues,
            deadline=adapters.deadline,
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
def admin(event: Mapping[str, Any], context: Any) -> Json:
    """Do what an operator does in the ledger alone."""
    return functions.admin(_adapters(), "admin", event)


@app.lambda_function()
def admin_users(event: Mapping[str, Any], context: Any) -> Json:
    """Do what an operator does to residents and their logins."""
    return functions.admin(_adapters(), "admin_users", event)


@app.lambda_function()
def import_bills(event: Mapping[str, Any], context: Any) -> Json:
    """Issue the bills of a file."""
    return functions.admin(_adapters(), "import_bills", event)


@app.lambda_function()
def reconcile(event: Mapping[str, Any], context: Any) -> Json:
    """Check that payments, lines and bills agree."""
    return functions.reconcile(_adapters(), event, context.get_remaining_time_in_millis() / 1000)
