"""The functions without a queue: call a use case, log what came of it, answer the caller."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from billing_app.admin.operations import answered, done, handle_event
from billing_app.admin.reconcile_operations import reconcile_by_schedule
from billing_app.use_cases.sweep import sweep_reply_queues
from chalicelib.bootstrap import Bootstrap

logger = logging.getLogger(__name__)

Answer = dict[str, Any]

# What the rule in terraform/modules/functions sends.
SCHEDULED = {"scheduled": True}
# For the page of a check that has begun, and for what is left to say.
RESERVED_SECONDS = 60
PROGRESS = ("checked", "apartments", "waiting", "oldest_check", "violations_left_out")


class NotSwept(Exception):
    """The sweep failed more often than it succeeded."""


def sweep(adapters: Bootstrap) -> Answer:
    """Remove idle reply queues; what fails once is left for the next sweep.

    Nobody reads what the schedule's run answers, so a sweep that gets nowhere fails.

    Raises:
        NotSwept: says how many queues failed.
        Unavailable: the registry does not answer, or SQS lists no queues.
    """
    report = sweep_reply_queues(
        registry=adapters.ledger, queues=adapters.idle_queues, now=adapters.clock()
    )
    logger.info("sweep", extra=asdict(report))
    if report.failed > report.deleted + report.gone:
        raise NotSwept(f"{report.failed} reply queues")
    return {"status": "done", **asdict(report)}


def admin(adapters: Bootstrap, function: str, event: Mapping[str, Any]) -> Answer:
    """Do an operation of an operators' function."""
    operation, answer = handle_event(function, event, context=adapters.admin_context)
    level = logging.INFO if answer["status"] == "done" else logging.WARNING
    logger.log(level, "admin", extra={"operation": operation, "code": answer["code"]})
    return answer


class NotReconciled(Exception):
    """The scheduled check found that the ledger differs, or could not finish."""


def reconcile(adapters: Bootstrap, event: Mapping[str, Any], seconds: float) -> Answer:
    """Check the ledger.

    The run of the schedule works for almost all of its `seconds` and logs how far it came. Nobody
    reads what it answers, so it fails unless everything agrees.

    Raises:
        NotReconciled: names the code.
    """
    if event != SCHEDULED:
        return admin(adapters, "reconcile", event)
    until = adapters.clock() + timedelta(seconds=seconds - RESERVED_SECONDS)
    answer = answered(lambda: reconcile_by_schedule(adapters.admin_context, until))
    told = answer["data"] or {}
    progress = {name: told.get(name) for name in PROGRESS}
    logged = {"operation": "reconcile", "code": answer["code"], **progress}
    logger.log(logging.WARNING if answer["code"] else logging.INFO, "reconcile", extra=logged)
    if answer["status"] != "done":
        raise NotReconciled(answer["code"])
    return answer


def migrate(adapters: Bootstrap) -> Answer:
    """Bring the database to the schema of this package; a failure fails the function."""
    settings = adapters.settings
    report = adapters.migrate(
        owner_secret_id=settings.database_secret_id,
        role_secret_ids=settings.role_secret_ids,
        time_zone=settings.time_zone,
    )
    logger.info("migrate", extra=asdict(report))
    return done(asdict(report))
