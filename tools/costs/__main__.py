"""`python -m tools.costs`: what a month costs for a number of residents."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from tools.costs.estimate import Estimate, estimate
from tools.costs.prices import PriceUnknown, read_prices
from tools.costs.sizes import NoTier, sizes_for
from tools.costs.usage import Inventory, Usage


@click.command()
@click.option("--residents", type=click.IntRange(min=1), default=1_000, show_default=True)
@click.option("--region", default="eu-central-1", show_default=True, help="A region of the table.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(residents: int, region: str, as_json: bool) -> None:
    """Print what a month of the service costs, in US dollars, line by line."""
    try:
        bill = month(residents, region)
    except (NoTier, PriceUnknown) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(_data(bill), indent=2))
    else:
        Console().print(_table(bill))


def month(residents: int, region: str) -> Estimate:
    """Return the bill of a month; raises NoTier and PriceUnknown."""
    return estimate(
        residents=residents,
        region=region,
        prices=read_prices(),
        sizes=sizes_for(residents),
        usage=Usage(),
        inventory=Inventory(),
    )


def _data(bill: Estimate) -> dict[str, object]:
    return {
        "residents": bill.residents,
        "region": bill.region,
        "sizes": bill.sizes.file.name,
        "usd_per_month": round(bill.usd, 2),
        "by_service": {name: round(usd, 2) for name, usd in bill.by_service().items()},
        "lines": [asdict(line) for line in bill.lines],
    }


def _table(bill: Estimate) -> Table:
    table = Table(title=f"{bill.residents:,} residents, {bill.region}, {bill.sizes.file.name}")
    for heading in ("Service", "What", "Quantity", "Unit", "USD a month"):
        table.add_column(heading, justify="right" if heading[0] in "Q$" else "left")
    prices = read_prices()
    for line in bill.lines:
        unit = prices[line.price].unit
        table.add_row(line.service, line.what, f"{line.quantity:,.0f}", unit, f"{line.usd:,.2f}")
    table.add_section()
    table.add_row("All", "", "", "", f"{bill.usd:,.2f}")
    return table


if __name__ == "__main__":
    main()
