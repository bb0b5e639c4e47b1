"""Client of the utilities billing service: ``from billing_client import BillingClient``."""

from billing_client.answers import (
    Apartment,
    Debt,
    Debts,
    Frame,
    HistoryEvent,
    HistoryPart,
    Login,
    Period,
    Provider,
    Receipt,
    ReceiptLine,
    Tokens,
)
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
from billing_client.money import Money
from billing_client.pending import PendingPayments, PendingPaymentsInMemory, PendingRequest
from billing_client.sessions import Session, SessionInMemory, SessionStore

__all__ = [
    "AnswerTimeout",
    "Apartment",
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
    "ReceiptLine",
    "RequestRejected",
    "ServiceFailed",
    "Session",
    "SessionInMemory",
    "SessionStore",
    "Tokens",
    "UnexpectedAnswer",
]
