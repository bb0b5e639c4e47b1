"""Numbers that pages repeat are those of the code."""

from __future__ import annotations

import pytest

from billing_app.adapters import redis_cache
from billing_app.adapters.reply_queues import VISIBILITY_TIMEOUT_SECONDS
from billing_app.use_cases.sweep import SWEEP_LIMIT
from chalicelib.operations import OPERATIONS
from tests.support.documents import ROOT, text_of
from tools.local.service import service

KEPT = int(OPERATIONS["utils"].reply_retention.total_seconds()) // 60
LOGIN_KEPT = int(OPERATIONS["auth"].reply_retention.total_seconds()) // 60
LONGEST_CACHED = int(redis_cache.TIME_TO_LIVE_SECONDS * (1 + redis_cache._JITTER)) // 60
HIDDEN = sorted(
    service().visibility_timeouts * service().functions[queue].timeout_seconds
    for queue in service().queues
)


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("api.md", f"Replies are kept for {KEPT} minutes, those of a login for {LOGIN_KEPT}."),
        ("api.md", f"comes back after {VISIBILITY_TIMEOUT_SECONDS} seconds"),
        ("api.md", f"| replies are kept | {KEPT} min; of a login {LOGIN_KEPT} min |"),
        ("api.md", f"| a reply that was read comes back after | {VISIBILITY_TIMEOUT_SECONDS} s |"),
        ("deploy.md", f"hold nothing after {KEPT} minutes"),
        ("local.md", f"visibility timeout ({HIDDEN[0]} to {HIDDEN[-1]} s)"),
        ("runbook.md", f"| reply queues | by themselves, after {KEPT} minutes |"),
        ("runbook.md", f"| Redis | by themselves, after {LONGEST_CACHED} minutes |"),
        ("runbook.md", f"stored results live for {LONGEST_CACHED} minutes at most"),
        ("security.md", f"service.json): {service().logins.token_minutes})"),
        ("architecture.md", f"the sweeper removes {SWEEP_LIMIT // 2:,} every five minutes"),
    ],
)
def test_a_page_says_what_the_code_does(page: str, sentence: str) -> None:
    assert sentence in " ".join(text_of(ROOT / "docs" / page).split())
