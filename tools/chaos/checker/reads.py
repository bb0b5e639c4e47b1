"""I3, I9: what reads of debts show, compared with the ledger at that moment."""

from __future__ import annotations

from collections import Counter

from tools.chaos.checker import rebuilt
from tools.chaos.checker.history import Read
from tools.chaos.checker.result import Facts, differences, finding
from tools.chaos.checker.run_record import RunRecord


def debts_are_right(run: RunRecord) -> Facts:
    """I3: what is open is shown, once, as it was billed, in order; and all of it adds up."""
    for read in run.history.debts:
        rows = [*read.rows("debts"), *read.rows(rebuilt.OTHERS)]
        shown = Counter(row["bill_id"] for row in rows)
        user, apartment = read.request.user, read.request.apartment
        lives_there = run.stays.is_certain(user, apartment, read.request.t, read.t)
        for bill_id in run.changes.bills(apartment):
            if not (lives_there or run.ledger.owes(user, bill_id)):
                continue
            if bill_id not in shown and run.changes.states_in(read, bill_id) == {"open"}:
                yield finding(f"debts lack bill {bill_id}, which is open", read, bill_id)
        yield finding(_content_trouble(run, read, shown), read)


def _content_trouble(run: RunRecord, read: Read, shown: Counter[str]) -> str | None:
    unknown = shown.keys() - set(run.changes.bills(read.request.apartment))
    if unknown or max(shown.values(), default=1) > 1:
        return f"debts show a bill twice, or one that is not theirs: {sorted(unknown)}"
    others = [row["bill_id"] for row in read.rows(rebuilt.OTHERS)]
    said = {**read.shown("debts"), rebuilt.OTHERS: read.rows(rebuilt.OTHERS)}
    if not run.history.may_be_at(said["as_of"], read.request.t, read.t):
        return f"debts are as of {said['as_of']}, which was another time"
    expected = {
        "apartment_id": read.request.apartment,
        "version": read.version,
        "as_of": said["as_of"],
        **rebuilt.debts(run.ledger, shown.keys() - set(others), as_of=said["as_of"], others=others),
    }
    other = differences(said, expected)
    return f"debts differ from the ledger: {other}" if other else None


def paid_is_no_debt(run: RunRecord) -> Facts:
    """I9: what is paid or withdrawn is no debt in a read that began after it was known.

    Versions that go back show the same fault before a bill does.
    """
    for read in run.history.debts:
        for row in [*read.rows("debts"), *read.rows(rebuilt.OTHERS)]:
            states = run.changes.states_in(read, row["bill_id"])
            text = f"bill {row['bill_id']} is a debt in a read, where it is {', '.join(states)}"
            yield finding(None if "open" in states else text, read, row["bill_id"])
    for read in run.history.reads:
        yield finding(_version_trouble(run, read), read)


def _version_trouble(run: RunRecord, read: Read) -> str | None:
    """Say how a version doesn't fit what was known before the read, or what can have happened."""
    changes, begin = run.changes.of.get(read.request.apartment, []), read.request.t
    seen = (one.version for one in run.history.reads_of(read.request.apartment) if one.t < begin)
    least = max([1 + sum(one.known < begin for one in changes), *seen])
    most = 1 + sum(one.begins <= read.t for one in changes)
    if least <= read.version <= most:
        return None
    return f"a read shows version {read.version}, which must be {least} to {most}"
