"""Two processes of one resident with one queue name: each gets its own replies."""

from __future__ import annotations

import subprocess
import sys
from uuid import uuid4

from tests.support.api import PASSWORD, Environment

REQUESTS = 2
# Names are random; here both processes come to the same one.
CLIENT = """
import sys
from unittest.mock import patch
from billing_client import BillingClient

url, username, password, queue_name, requests = sys.argv[1:]
with BillingClient(url, timeout_seconds=90) as client:
    [apartment] = client.login(username, password).apartments
    with patch("uuid.uuid4", lambda: queue_name):
        for _ in range(int(requests)):
            print(len(client.debts(apartment.apartment_id).debts))
"""


def test_two_processes_under_one_queue_name_take_no_reply_of_the_other(env: Environment) -> None:
    ada = env.resident()
    env.ledger.bills(ada.home, 1000, 200)
    given = [str(env.http.base_url), ada.username, PASSWORD, str(uuid4()), str(REQUESTS)]
    command = [sys.executable, "-c", CLIENT, *given]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=240)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert told == ["2\n" * REQUESTS] * 2
