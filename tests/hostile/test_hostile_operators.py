"""Hostile values in what operators send: rejected by name or stored as they are, never run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_app.adapters.connections import Database
from billing_app.adapters.operator_ledger import PostgresOperatorLedger
from billing_app.admin.operations import OPERATIONS, handle
from billing_app.ports.operator_ledger import AdminContext
from tests.hostile.alphabets import CANARY, FRAGMENTS, texts
from tests.support.databases import Server
from tests.support.fake_operator_ledger import NOW, FakeUserDirectory
from tests.support.ledger import Home, Ledger, query

often = settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
values = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.lists(texts, max_size=2),
    st.dictionaries(texts, texts, max_size=2),
)


class AdminFunctions:
    """The operators' functions on a database of their own."""

    def __init__(self, operator_ledger: PostgresOperatorLedger, ledger: Ledger, home: Home) -> None:
        self.ledger, self.home = ledger, home
        self._context = AdminContext(
            ledger=operator_ledger, directory=FakeUserDirectory(), clock=lambda: NOW, new_id=uuid4
        )

    def do(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Run an operators' function; whatever it raises is a crash."""
        return handle(name, event, context=self._context)

    def read(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Look into the tables as their owner."""
        return query(self.ledger.connection("owner"), statement, *parameters)


@pytest.fixture(scope="module")
def admin(postgres_server: Server) -> Iterator[AdminFunctions]:
    """Give the functions, and see that the ledger is right and whole after it."""
    with postgres_server.database() as database:
        operator_ledger = PostgresOperatorLedger(
            Database(
                secret=lambda: database.secret("operator"),
                renew_secret=lambda: None,
                application_name="hostile",
            )
        )
        ledger = Ledger(database)
        home = ledger.home()
        bill = ledger.bill(home)
        yield AdminFunctions(operator_ledger, ledger, home)
        assert ledger.open_bills(home) == {bill}
        assert ledger.violations() == []


@pytest.mark.parametrize("name", OPERATIONS)
@often
@given(data=st.data())
def test_an_event_with_a_hostile_field_is_answered(
    admin: AdminFunctions, name: str, data: st.DataObject
) -> None:
    event = OPERATIONS[name].example
    changed = data.draw(st.one_of(st.sampled_from(sorted(event)), texts))
    answer = admin.do(name, {**event, changed: data.draw(values)})
    assert answer["status"] in ("done", "rejected")


@often
@given(text=texts)
def test_text_is_stored_as_it_is_or_rejected(admin: AdminFunctions, text: str) -> None:
    answer = admin.do("add_apartment", {"address": text})
    if answer["status"] == "rejected":
        assert answer["code"] == "invalid_request"
        return
    apartment = UUID(answer["data"]["apartment_id"])
    found = admin.read("SELECT address FROM billing.apartments WHERE apartment_id = %s", apartment)
    assert found == [(text,)]


@pytest.mark.parametrize("text", FRAGMENTS)
def test_each_fragment_in_each_field_is_answered(admin: AdminFunctions, text: str) -> None:
    for name, operation in OPERATIONS.items():
        for field in operation.example:
            answer = admin.do(name, {**operation.example, field: CANARY + text})
            assert answer["status"] in ("done", "rejected")
            # What is wrong is said by name: a value may be a password.
            assert CANARY not in answer["message"] or answer["code"] != "invalid_request"
