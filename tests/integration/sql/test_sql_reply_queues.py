"""The registry of reply queues."""

from uuid import uuid4

from tests.support.ledger import Ledger


def expired(ledger: Ledger) -> list[str]:
    return [name for name, _ in ledger.rows("writer", "expired_reply_queues", 1000)]


def register(ledger: Ledger, name: str, lifetime: str) -> None:
    ledger.ask("reader", "register_reply_queue", name, uuid4(), lifetime)


def test_a_registered_queue_is_known_until_it_is_forgotten(ledger: Ledger) -> None:
    name = f"queue-{uuid4().hex}"
    assert ledger.ask("writer", "reply_queue_is_registered", name) is False
    register(ledger, name, "1 hour")
    assert ledger.ask("writer", "reply_queue_is_registered", name) is True
    ledger.ask("writer", "forget_reply_queue", name)
    assert ledger.ask("writer", "reply_queue_is_registered", name) is False


def test_a_queue_expires_after_its_lifetime(ledger: Ledger) -> None:
    late, lasting = f"late-{uuid4().hex}", f"lasting-{uuid4().hex}"
    register(ledger, late, "-1 second")
    register(ledger, lasting, "1 hour")
    assert late in expired(ledger)
    assert lasting not in expired(ledger)


def test_registering_again_puts_the_end_off_and_never_nearer(ledger: Ledger) -> None:
    name = f"queue-{uuid4().hex}"
    register(ledger, name, "-1 second")
    register(ledger, name, "1 hour")
    register(ledger, name, "-1 second")
    assert name not in expired(ledger)


def test_the_longest_overdue_come_first_and_at_most_as_many_as_asked_for(ledger: Ledger) -> None:
    names = [f"queue-{uuid4().hex}" for _ in range(3)]
    for days, name in enumerate(names, start=1000):
        register(ledger, name, f"-{days} days")
    first = [name for name, _ in ledger.rows("writer", "expired_reply_queues", 2)]
    assert first == [names[2], names[1]]


def test_the_queue_of_a_login_has_no_owner(ledger: Ledger) -> None:
    name = f"login-{uuid4().hex}"
    ledger.ask("writer", "register_reply_queue", name, None, "5 minutes")
    assert ledger.ask("writer", "reply_queue_is_registered", name) is True
