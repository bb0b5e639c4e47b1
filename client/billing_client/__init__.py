"""Client of the utilities billing service: `from billing_client import BillingClient`."""

from __future__ import annotations

from billing_client.client import BillingClient
from billing_client.errors import (
    AnswerTimeout,
    BillingError,
    ConnectionFailed,
    GatewayRejected,
    NotLoggedIn,
    RequestRejected,
    ServiceFailed,
    UnexpectedAnswer,
)
from billing_client.history import HistoryState
from billing_client.models import (
    Apartment,
    Bill,
    Debt,
    Debts,
    Frame,
    HistoryEvent,
    HistoryPart,
    Login,
    Money,
    PendingRequest,
    Period,
    Provider,
    Receipt,
    Tokens,
)
from billing_client.storage import (
    PendingPayments,
    PendingPaymentsInMemory,
    Session,
    SessionInMemory,
    SessionStore,
)

__all__ = [
    "AnswerTimeout",
    "Apartment",
    "Bill",
    "BillingClient",
    "BillingError",
    "ConnectionFailed",
    "Debt",
    "Debts",
    "Frame",
    "GatewayRejected",
    "HistoryEvent",
    "HistoryPart",
    "HistoryState",
    "Login",
    "Money",
    "NotLoggedIn",
    "PendingPayments",
    "PendingPaymentsInMemory",
    "PendingRequest",
    "Period",
    "Provider",
    "Receipt",
    "RequestRejected",
    "ServiceFailed",
    "Session",
    "SessionInMemory",
    "SessionStore",
    "Tokens",
    "UnexpectedAnswer",
]
