"""Books in memory that answer as the service does: for tests of the client alone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

Json = dict[str, Any]
START = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def rejected(code: str, **data: Any) -> Json:
    return {"status": "rejected", "code": code, "message": f"Rejected: {code}.", "data": data}


def done(*parts: Json) -> Json:
    return {"status": "done", "code": None, "message": "", "parts": list(parts)}


@dataclass
class FakeUser:
    username: str
    password: str = "secret"
    name: str = "Ada"
    subject: str = field(default_factory=lambda: str(uuid.uuid4()))
    apartments: list[str] = field(default_factory=list)
    needs_new_password: bool = False


@dataclass
class FakeApartment:
    """Debts and history of one apartment, posted a second apart."""

    apartment_id: str
    address: str
    version: int = 1
    debts: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    visible_from: datetime = START
    posted: int = 0

    def post(self, **event: Any) -> Json:
        self.posted += 1
        self.version += 1
        moment = instant(START + timedelta(seconds=self.posted))
        posted = {"event": "payment", **event, "posted_at": moment, "settled_at": moment}
        self.events.append(posted)
        return posted

    def visible(self) -> list[Json]:
        return [event for event in self.events if event["posted_at"] >= instant(self.visible_from)]

    @property
    def end(self) -> str:
        if not self.events:
            return instant(self.visible_from)
        last = datetime.fromisoformat(self.events[-1]["posted_at"]) + TICK
        return instant(max(last, self.visible_from))


def bill(**changes: Any) -> Json:
    """Make an open bill; what is not said is a gas bill of October 2026 over 51.40 EUR."""
    return {
        "bill_id": str(uuid.uuid4()),
        "utility": "gas",
        "provider": {"provider_id": "north-gas", "name": "North Gas"},
        "period": {"from": "2026-10-01", "to": "2026-10-31"},
        "due_on": "2026-11-15",
        "days_overdue": 0,
        "amount_minor": 5140,
        "currency": "EUR",
        **changes,
    }


@dataclass
class FakeLedger:
    users: dict[str, FakeUser] = field(default_factory=dict)
    apartments: dict[str, FakeApartment] = field(default_factory=dict)
    payments: dict[tuple[str, str], tuple[Json, Json]] = field(default_factory=dict)
    part_size: int = 1000
    page_size: int = 1000

    def add_user(self, username: str = "ada", **more: Any) -> FakeUser:
        return self.users.setdefault(username, FakeUser(username, **more))

    def add_apartment(self, user: FakeUser, address: str = "1 Mill Lane") -> FakeApartment:
        apartment = FakeApartment(str(uuid.uuid4()), address)
        self.apartments[apartment.apartment_id] = apartment
        user.apartments.append(apartment.apartment_id)
        return apartment

    def owned(self, subject: str, apartment_id: str) -> FakeApartment | None:
        owns = any(u.subject == subject and apartment_id in u.apartments for u in self.all_users())
        return self.apartments.get(apartment_id) if owns else None

    def all_users(self) -> list[FakeUser]:
        return list(self.users.values())

    def utils(self, subject: str, apartment_id: str, body: Json) -> Json:
        apartment = self.owned(subject, apartment_id)
        if apartment is None:
            return rejected("apartment_not_found")
        currencies = {debt["currency"] for debt in apartment.debts}
        mixed = len(currencies) > 1
        envelope = {
            "apartment_id": apartment_id,
            "version": apartment.version,
            "as_of": instant(datetime(2026, 11, 22, tzinfo=UTC)),
            "currency": None if mixed else next(iter(currencies), None),
            "total_minor": None if mixed else sum(d["amount_minor"] for d in apartment.debts),
        }
        return done(*({**envelope, "debts": run} for run in self._runs(apartment.debts)))

    def payment(self, subject: str, apartment_id: str, body: Json, key: str) -> Json:
        content = {name: body.get(name) for name in ("bills_id", "expected_total_minor")}
        asked, answer = self.payments.get((subject, key), (content, None))
        if asked != content:
            return rejected("idempotency_key_reused")
        answer = answer or self._pay(subject, apartment_id, body)
        self.payments[subject, key] = (content, answer)
        return answer

    def _pay(self, subject: str, apartment_id: str, body: Json) -> Json:
        apartment = self.owned(subject, apartment_id)
        if apartment is None:
            return rejected("apartment_not_found")
        bills = [debt for debt in apartment.debts if debt["bill_id"] in body["bills_id"]]
        if len(bills) != len(body["bills_id"]):
            return rejected("bill_not_found", bills=body["bills_id"])
        total = sum(debt["amount_minor"] for debt in bills)
        if body.get("expected_total_minor") not in (None, total):
            return rejected("total_changed", total_minor=total)
        return done(self._settle(apartment, bills, total))

    def _settle(self, apartment: FakeApartment, bills: list[Json], total: int) -> Json:
        payment = {"payment_id": str(uuid.uuid4()), "receipt_number": f"R-{len(self.payments):06}"}
        apartment.debts = [debt for debt in apartment.debts if debt not in bills]
        lines = [_line(debt) for debt in bills]
        posted = [apartment.post(**line, **payment) for line in lines]
        return {
            **payment,
            "status": "settled",
            "settled_at": posted[0]["settled_at"],
            "total_minor": total,
            "currency": bills[0]["currency"],
            "lines": lines,
        }

    def history(self, subject: str, apartment_id: str, body: Json) -> Json:
        apartment = self.owned(subject, apartment_id)
        if apartment is None:
            return rejected("apartment_not_found")
        floor = instant(apartment.visible_from)
        down, up = body["date_down"] or floor, body["date_up"] or floor
        if up > apartment.end:
            return rejected("history_frame_unknown")
        return done(*self._history_parts(apartment, max(down, floor), max(up, floor)))

    def _history_parts(self, apartment: FakeApartment, down: str, up: str) -> list[Json]:
        """Extend the client's frame upward part by part, and downward with the last one."""
        lacking = [event for event in apartment.visible() if event["posted_at"] >= up]
        page, more = lacking[: self.page_size], len(lacking) > self.page_size
        parts = []
        for run in self._runs(page):
            up = _just_after(run) if run else apartment.end
            parts.append(self._part(apartment, run, down, up, more=True))
        if not more:
            older = [event for event in apartment.visible() if event["posted_at"] < down]
            parts[-1]["settled_debts"] += older
            parts[-1]["covered"] = {
                "date_down": instant(apartment.visible_from),
                "date_up": apartment.end,
            }
        parts[-1]["more"] = more
        return parts

    def _part(
        self, apartment: FakeApartment, run: list[Json], down: str, up: str, *, more: bool
    ) -> Json:
        return {
            "apartment_id": apartment.apartment_id,
            "version": apartment.version,
            "covered": {"date_down": down, "date_up": up},
            "cursor": f"after-{up}",
            "more": more,
            "settled_debts": list(run),
        }

    def _runs(self, items: list[Json]) -> list[list[Json]]:
        size = self.part_size
        return [items[at : at + size] for at in range(0, len(items), size)] or [[]]


def _line(debt: Json) -> Json:
    provider = debt["provider"]
    kept = {name: debt[name] for name in ("bill_id", "utility", "period", "amount_minor")}
    return {
        **kept,
        "currency": debt["currency"],
        "provider": provider["name"],
        "provider_id": provider["provider_id"],
    }


def _just_after(run: list[Json]) -> str:
    return instant(datetime.fromisoformat(run[-1]["posted_at"]) + TICK)


def month(year: int, number: int) -> Json:
    """Make the billing period of a whole month."""
    first = date(year, number, 1)
    following = date(year + number // 12, number % 12 + 1, 1)
    return {"from": first.isoformat(), "to": (following - timedelta(days=1)).isoformat()}
