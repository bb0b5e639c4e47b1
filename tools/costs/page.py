"""The generated parts of docs/cost.md. `python -m tools.costs.page` writes them anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from tools.costs.__main__ import month
from tools.costs.estimate import Estimate
from tools.costs.prices import read_prices
from tools.costs.sizes import Sizes, tiers
from tools.costs.usage import Usage

PAGE = Path(__file__).parents[2] / "docs" / "cost.md"
REGION = "eu-central-1"


def with_generated_parts(text: str) -> str:
    """Return the page's text with each generated part as the script has it now."""
    bills = [month(residents, REGION) for residents in tiers()]
    parts = {
        "bills": _bills(bills),
        "sizes": _sizes([bill.sizes for bill in bills]),
        "usage": _usage(Usage()),
        "prices": _prices(),
    }
    for name, part in parts.items():
        text = _replaced(text, name, part)
    return text


def _replaced(text: str, name: str, part: str) -> str:
    start, end = f"<!-- costs: {name} -->\n", "<!-- /costs -->"
    before, _, rest = text.partition(start)
    return f"{before}{start}\n{part}\n\n{end}{rest.partition(end)[2]}"


def _bills(bills: Sequence[Estimate]) -> str:
    services = list(dict.fromkeys(name for bill in reversed(bills) for name in bill.by_service()))
    rows = [
        [name, *(f"{bill.by_service().get(name, 0):,.0f}" for bill in bills)] for name in services
    ]
    total = ["**All**", *(f"**{bill.usd:,.0f}**" for bill in bills)]
    each = ["One resident", *(f"{bill.usd / bill.residents:.3f}" for bill in bills)]
    heading = ["USD a month", *(f"{bill.residents:,} residents" for bill in bills)]
    return _markdown(heading, [*rows, total, each], numbers=True)


def _sizes(sizes: Sequence[Sizes]) -> str:
    rows = [
        [
            f"{size.residents:,}",
            f"[`{size.file.name}`](../tools/costs/tiers/{size.file.name})",
            _database(size),
            f"{size.nodes} x {size.node_type}",
            str(size.zones),
        ]
        for size in sizes
    ]
    return _markdown(["Residents up to", "Sizes", "Database", "Cache", "Zones"], rows)


def _database(size: Sizes) -> str:
    extras = [name for name, has in (("standby", size.standby), ("proxy", size.proxy)) if has]
    return ", ".join([size.instance_class, f"{size.storage_gib} GiB", *extras])


def _usage(usage: Usage) -> str:
    rows = []
    for each in fields(Usage):
        value = getattr(usage, each.name)
        if not isinstance(value, float):
            value = ", ".join(f"{name} {count:g}" for name, count in value.items())
        rows.append([f"`{each.name}`", f"{value:g}" if isinstance(value, float) else value])
    return _markdown(["Assumption", "Value"], rows)


def _prices() -> str:
    rows = [
        [
            f"`{price.name}`",
            price.unit,
            f"{price.steps[REGION][0].usd:.10f}".rstrip("0").rstrip(".")
            + (" and steps" if len(price.steps[REGION]) > 1 else ""),
            price.as_of,
            "yes" if price.confirmed else "no",
            f"[source]({price.source})",
        ]
        for price in read_prices().all()
    ]
    return _markdown(["Price", "Of one", f"USD, {REGION}", "As of", "Confirmed", "Check"], rows)


def _markdown(
    heading: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = False
) -> str:
    rule = ["---", *("---:" if numbers else "---" for _ in heading[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in [heading, rule, *rows])


if __name__ == "__main__":
    PAGE.write_text(with_generated_parts(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
