"""A resident pays the bills they chose: all of them or none, and at most once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing_app.domain.parts import cut, items_budget
from billing_app.ports.ledger import Ledger, PaymentOrder

Json = dict[str, Any]


def pay_bills(*, ledger: Ledger, order: PaymentOrder) -> Json:
    """Return the receipt; the same request key gets the same receipt again, for ever.

    Raises:
        Rejection: `apartment_not_found`, `bill_not_found`, `bill_void`, `bill_already_paid`,
            `currency_mixed`, `total_changed`, `idempotency_key_reused`.
        Unavailable: the outcome is not known; asking again with the same key is safe.
    """
    payment = ledger.pay(order)
    return {**payment, "lines": [flat_provider(line) for line in payment["lines"]]}


def receipt_parts(receipt: Mapping[str, Any]) -> list[Json]:
    """Cut a receipt into parts that fit a reply: each has some of the lines, and all of the rest.

    A receipt never changes, so neither do its parts, however often it is asked for.
    """
    envelope = {**receipt, "lines": []}
    budget = items_budget(envelope=envelope)
    runs = cut(receipt["lines"], max_bytes=budget, content=lambda line: line)
    return [{**envelope, "lines": run} for run in runs]


def flat_provider(line: Mapping[str, Any]) -> Json:
    """Write the frozen copy of the provider as its name, with its id beside it."""
    provider = line["provider"]
    return {**line, "provider": provider["name"], "provider_id": provider["provider_id"]}
