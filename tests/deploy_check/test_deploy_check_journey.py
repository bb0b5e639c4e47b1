"""What a resident is shown is all there is, once and in order; poison comes as often as said."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest
from billing_client import BillingClient, HistoryState

from tools.deploy_check import poison
from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import DeployCheckError
from tools.deploy_check.journey import _require_debts, _require_history
from tools.local.service import service


class FakeClient:
    """Shows these bills, as debts and as payments."""

    def __init__(self, bills: Sequence[str]) -> None:
        self._bills = [SimpleNamespace(event="payment", bill_id=bill) for bill in bills]

    def debts(self, _apartment: str) -> Any:
        return SimpleNamespace(debts=self._bills)

    def sync_history(self, _state: HistoryState) -> Any:
        return SimpleNamespace(events=self._bills)


@pytest.mark.parametrize("shown", ["ab", "aba", "ba", "aab", "a", ""])
def test_missing_doubled_and_disordered_bills_and_events_are_noticed(shown: str) -> None:
    client = cast(BillingClient, FakeClient(shown))
    expected = [("payment", bill) for bill in "ab"]
    if shown == "ab":
        _require_debts(client, "home", "ba")
        _require_history(client, HistoryState("home"), expected)
        return
    with pytest.raises(DeployCheckError, match="debts"):
        _require_debts(client, "home", "ab")
    with pytest.raises(DeployCheckError, match="history"):
        _require_history(client, HistoryState("home"), expected)


class FakeCloud:
    """A queue and its function; poison is received so often before it is put aside."""

    outputs: ClassVar = {
        "dead_letter_queue_arns": {"utils": "arn:utils-dlq"},
        "request_queue_urls": {"utils": "utils"},
        "function_names": {"utils": "utils"},
        "gateway_role_arn": "gateway",
        "redrive_role_arn": "redrive",
    }

    def __init__(self, visibility: int, receives: int, *, stays_short: bool = False) -> None:
        self.visibility, self._receives = str(visibility), receives
        self._stays_short, self._sent = stays_short, ""

    def client(self, _: str) -> FakeCloud:
        return self

    def in_role(self, _role: str, _service: str) -> FakeCloud:
        return self

    def get_function_configuration(self, **_: str) -> dict[str, int]:
        return {"Timeout": 30}

    def get_queue_url(self, **_: str) -> dict[str, str]:
        return {"QueueUrl": "utils-dlq"}

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        return {"Attributes": {"VisibilityTimeout": self.visibility}}

    def set_queue_attributes(self, *, Attributes: dict[str, str], **_: Any) -> None:  # noqa: N803
        if Attributes["VisibilityTimeout"] == "1" or not self._stays_short:
            self.visibility = Attributes["VisibilityTimeout"]

    def send_message(self, *, MessageBody: str, **_: str) -> None:  # noqa: N803
        self._sent = MessageBody

    def receive_message(self, **_: Any) -> dict[str, Any]:
        count = {"ApproximateReceiveCount": str(self._receives + 1)}
        return {"Messages": [{"Body": self._sent, "ReceiptHandle": "x", "Attributes": count}]}

    def delete_message(self, **_: str) -> None:
        pass


def tried(cloud: FakeCloud) -> Any:
    return poison.try_poison(cast(Cloud, cloud))


def test_poison_must_be_received_as_often_as_said_and_hidden_in_between() -> None:
    hidden, times = 30 * service().visibility_timeouts, service().max_receive_count
    assert tried(FakeCloud(hidden, times)) == {"utils": times}
    for wrong in (1, times - 1, times + 1):
        with pytest.raises(DeployCheckError, match=f"'utils': {wrong}"):
            tried(FakeCloud(hidden, wrong))
    for cloud in (FakeCloud(30, times), FakeCloud(hidden, times, stays_short=True)):
        with pytest.raises(DeployCheckError, match="hides a request for"):
            tried(cloud)
