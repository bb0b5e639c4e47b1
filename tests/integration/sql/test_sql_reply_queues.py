"""The registry of reply queues."""

from uuid import uuid4

from tests.support.books import Books


def expired(books: Books) -> list[str]:
    return [name for name, _ in books.rows("writer", "expired_reply_queues", 1000)]


def register(books: Books, name: str, lifetime: str) -> None:
    books.ask("reader", "register_reply_queue", name, uuid4(), lifetime)


def test_a_registered_queue_is_known_until_it_is_forgotten(books: Books) -> None:
    name = f"queue-{uuid4().hex}"
    assert books.ask("writer", "reply_queue_is_registered", name) is False
    register(books, name, "1 hour")
    assert books.ask("writer", "reply_queue_is_registered", name) is True
    books.ask("writer", "forget_reply_queue", name)
    assert books.ask("writer", "reply_queue_is_registered", name) is False


def test_a_queue_expires_after_its_lifetime(books: Books) -> None:
    late, lasting = f"late-{uuid4().hex}", f"lasting-{uuid4().hex}"
    register(books, late, "-1 second")
    register(books, lasting, "1 hour")
    assert late in expired(books)
    assert lasting not in expired(books)


def test_registering_again_puts_the_end_off_and_never_nearer(books: Books) -> None:
    name = f"queue-{uuid4().hex}"
    register(books, name, "-1 second")
    register(books, name, "1 hour")
    register(books, name, "-1 second")
    assert name not in expired(books)


def test_the_longest_overdue_come_first_and_at_most_as_many_as_asked_for(books: Books) -> None:
    names = [f"queue-{uuid4().hex}" for _ in range(3)]
    for days, name in enumerate(names, start=1000):
        register(books, name, f"-{days} days")
    first = [name for name, _ in books.rows("writer", "expired_reply_queues", 2)]
    assert first == [names[2], names[1]]


def test_the_queue_of_a_login_has_no_owner(books: Books) -> None:
    name = f"login-{uuid4().hex}"
    books.ask("writer", "register_reply_queue", name, None, "5 minutes")
    assert books.ask("writer", "reply_queue_is_registered", name) is True
