"""A request whose answer has not come yet: what it takes to ask for it again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from billing_client.fields import Fields

AUTH, UTILS, PAYMENTS, HISTORIES = "auth", "utils", "payments", "histories"


@dataclass(frozen=True)
class PendingRequest:
    """The handle of a request.

    ``request_id`` is None until the gateway has accepted the request, or when its acceptance
    got lost. ``body`` is what was asked, without the queue name; it stays empty for a login,
    so that no password is kept. ``idempotency_key`` is there for payments.
    """

    operation: str
    path: str
    queue_name: str
    request_id: str | None = None
    idempotency_key: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def poll_path(self) -> str:
        return f"{self.path}/{self.queue_name}"

    @property
    def apartment_id(self) -> str | None:
        parts = self.path.split("/")
        return parts[2] if parts[1] == "apartments" else None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> PendingRequest:
        """Read what ``as_json`` wrote; raises UnexpectedAnswer if it is something else."""
        fields = Fields.of(value, "pending request")
        return cls(
            operation=fields.text("operation"),
            path=fields.text("path"),
            queue_name=fields.text("queue_name"),
            request_id=fields.optional_text("request_id"),
            idempotency_key=fields.optional_text("idempotency_key"),
            body=fields.inner("body").values,
        )


class PendingPayments(Protocol):
    """Where payments wait whose outcome is not known, by their idempotency key."""

    def keep(self, pending: PendingRequest) -> None: ...

    def forget(self, idempotency_key: str) -> None: ...

    def all(self) -> tuple[PendingRequest, ...]: ...


class PendingPaymentsInMemory:
    """Keeps pending payments as long as the process lives."""

    def __init__(self) -> None:
        self._payments: dict[str, PendingRequest] = {}

    def keep(self, pending: PendingRequest) -> None:
        self._payments[key_of(pending)] = pending

    def forget(self, idempotency_key: str) -> None:
        self._payments.pop(idempotency_key, None)

    def all(self) -> tuple[PendingRequest, ...]:
        return tuple(self._payments.values())


def key_of(pending: PendingRequest) -> str:
    """Return the idempotency key, without which a payment can't be asked for again."""
    if pending.idempotency_key is None:
        raise ValueError("a pending payment needs its idempotency key")
    return pending.idempotency_key


def payment_request(
    apartment_id: str,
    bill_ids: Sequence[str],
    *,
    expected_total_minor: int | None,
    idempotency_key: str | None,
) -> PendingRequest:
    """Describe a payment under a key that is made before anything is sent."""
    body: dict[str, Any] = {"bills_id": list(bill_ids)}
    if expected_total_minor is not None:
        body["expected_total_minor"] = expected_total_minor
    return PendingRequest(
        operation=PAYMENTS,
        path=apartment_path(apartment_id, PAYMENTS),
        queue_name="",
        idempotency_key=idempotency_key or str(uuid.uuid4()),
        body=body,
    )


def apartment_path(apartment_id: str, operation: str) -> str:
    """Return the path of an operation; raises ValueError if the id is no UUID."""
    return f"/apartments/{uuid.UUID(apartment_id)}/{operation}"
