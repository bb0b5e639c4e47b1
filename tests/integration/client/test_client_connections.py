"""What the client sends to a server that is not the service."""

from __future__ import annotations

import ssl

import pytest
import trustme
from billing_client import BillingClient, BillingError, ConnectionFailed

from tests.support.api import wait_until
from tests.support.sockets import listening


def log_in(url: str) -> BillingError:
    with (
        BillingClient(url, timeout_seconds=0.5) as client,
        pytest.raises(BillingError) as caught,
    ):
        client.login("ada", "secret")
    return caught.value


def test_a_server_that_can_not_prove_its_name_is_told_nothing() -> None:
    unknown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(unknown)
    with listening(tls=unknown) as server:
        error = log_in(f"https://127.0.0.1:{server.port}")
        wait_until(lambda: server.accepted, "the connection")
    assert isinstance(error, ConnectionFailed)
    assert (error.reached, server.received) == (False, b"")


def test_a_redirect_is_not_followed() -> None:
    with listening() as elsewhere:
        to = f"http://127.0.0.1:{elsewhere.port}/auth"
        answer = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
        with listening(answer.encode()) as server:
            log_in(f"http://127.0.0.1:{server.port}")
    assert b"secret" in server.received
    assert elsewhere.received == b""
