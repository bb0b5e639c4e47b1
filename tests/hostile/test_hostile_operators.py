"""Hostile values in what operators send: rejected by name or stored as they are, never run."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.adapters.operator_ledger import PostgresOperatorLedger
from billing_app.admin.operations import OPERATIONS, handle
from billing_app.ports.operator_ledger import AdminContext
from tests.hostile.alphabets import CANARY, FRAGMENTS, often, texts
from tests.support.databases import Server
from tests.support.fake_bills import NOW
from tests.support.fakes import FakeUserDirectory
from tests.support.ledger import Ledger, query

values = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.lists(texts, max_size=2),
    st.dictionaries(texts, texts, max_size=2),
)


@pytest.fixture(scope="module")
def ledger(postgres_server: Server) -> Iterator[Ledger]:
    """Give a ledger of its own, and see that it is right and whole after hostility."""
    with postgres_server.database() as database:
        ledger = Ledger(database)
        home = ledger.home()
        bill = ledger.bill(home)
        yield ledger
        assert ledger.open_bills(home) == {bill}
        assert ledger.violations() == []


@pytest.fixture(scope="module")
def admin(ledger: Ledger) -> AdminContext:
    """Give what the operators' functions work with; whatever they raise is a crash."""
    return AdminContext(
        ledger=PostgresOperatorLedger(ledger.database.adapters("operator")),
        directory=FakeUserDirectory(),
        clock=lambda: NOW,
        new_id=uuid4,
    )


@pytest.mark.parametrize("name", OPERATIONS)
@often
@given(data=st.data())
def test_an_event_with_a_hostile_field_is_answered(
    admin: AdminContext, name: str, data: st.DataObject
) -> None:
    event = OPERATIONS[name].example
    changed = data.draw(st.one_of(st.sampled_from(sorted(event)), texts))
    answer = handle(name, {**event, changed: data.draw(values)}, context=admin)
    assert answer["status"] in ("done", "rejected")


@often
@given(text=texts)
def test_text_is_stored_as_it_is_or_rejected(
    admin: AdminContext, ledger: Ledger, text: str
) -> None:
    answer = handle("add_apartment", {"address": text}, context=admin)
    if answer["status"] == "rejected":
        assert answer["code"] == "invalid_request"
        return
    apartment = UUID(answer["data"]["apartment_id"])
    statement = "SELECT address FROM billing.apartments WHERE apartment_id = %s"
    assert query(ledger.connection("owner"), statement, apartment) == [(text,)]


@pytest.mark.parametrize("text", FRAGMENTS)
def test_each_fragment_in_each_field_is_answered(admin: AdminContext, text: str) -> None:
    for name, operation in OPERATIONS.items():
        for field in operation.example:
            event = {**operation.example, field: CANARY + text}
            answer = handle(name, event, context=admin)
            assert answer["status"] in ("done", "rejected")
            # What is wrong is said by name: a value may be a password.
            assert CANARY not in answer["message"] or answer["code"] != "invalid_request"
