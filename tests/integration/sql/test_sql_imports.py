"""api.issue_bills: dry runs, chunks."""

from __future__ import annotations

from uuid import uuid4

from tests.support.ledger import Answer, Home, Ledger, line, query

Result = tuple[str, str | None]


def results(answer: Answer) -> list[Result]:
    return [(row["result"], row["code"]) for row in answer["data"]["lines"]]


def test_a_dry_run_notes_no_import(ledger: Ledger, home: Home) -> None:
    imports, owner = "SELECT count(*) FROM billing.imports", ledger.connection("owner")
    before = query(owner, imports)
    assert results(ledger.issue([line(home)], dry_run=True)) == [("issued", None)]
    assert query(owner, imports) == before


def test_chunks_share_an_import_id_but_two_files_may_not(ledger: Ledger, home: Home) -> None:
    import_id = uuid4()
    answers = [
        ledger.issue([line(home, amount_minor=amount)], import_id=import_id, sha256=file * 64)
        for amount, file in ((1, "a"), (2, "a"), (3, "b"))
    ]
    assert [results(answer) for answer in answers[:2]] == [[("issued", None)]] * 2
    assert (answers[2]["status"], answers[2]["code"]) == ("rejected", "import_id_reused")
    assert {debt["amount_minor"] for debt in ledger.debts(home)["debts"]} == {1, 2}


def test_an_import_without_lines_is_done(ledger: Ledger) -> None:
    assert ledger.issue([])["data"] == {"lines": []}
