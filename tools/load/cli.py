"""The commands of ``python -m tools.load``.

Exit codes: 0 all went well; 1 it could not be run, a request was lost or the books are wrong; 2
wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tools.load import compare, runs
from tools.load.errors import LoadError
from tools.load.overload import Plan
from tools.load.picture import picture
from tools.load.report import report, write
from tools.load.schedule import Mix
from tools.load.show import Show
from tools.load.target import Target, own_target, running_target
from tools.local.errors import LocalCloudError

Json = dict[str, Any]

USUAL_MIX = "debts=5,sync=3,pay=2,login=1"


class MixType(click.ParamType[Mix]):
    """``debts=5,pay=2``."""

    name = "mix"

    def convert(self, value: Any, param: Any, ctx: Any) -> Mix:
        """Read a mix, or say what is wrong with it."""
        try:
            return value if isinstance(value, Mix) else Mix.parse(value)
        except LoadError as error:
            self.fail(str(error), param, ctx)


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all have."""
    for option in (
        click.option("--mix", type=MixType(), default=USUAL_MIX, show_default=True),
        click.option("--users", type=click.IntRange(1), default=12, show_default=True),
        click.option("--seconds", type=click.FloatRange(1), default=20.0, show_default=True),
        click.option("--timeout", type=click.FloatRange(1), default=60.0, show_default=True),
        click.option("--seed", default="1", show_default=True),
        click.option("--out", type=click.Path(path_type=Path), default=Path("build/load")),
    ):
        command = option(command)
    return command


def _target_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--url", help="a service that runs, instead of a local cloud of its own"),
        click.option(
            "--credentials",
            type=click.Path(path_type=Path, exists=True),
            help="JSON with residents, as .local/demo.json; goes with --url",
        ),
    ):
        command = option(command)
    return command


@click.group()
def main() -> None:
    """Put load on the service through its client."""


@main.command()
@_common
@_target_options
@click.option("--think", type=click.FloatRange(0), default=0.5, show_default=True)
def closed(think: float, url: str | None, credentials: Path | None, **options: Any) -> None:
    """Users who ask, wait for the answer and think."""
    show, wishes = Show(), _wishes(options)
    with _target(url, credentials) as target:
        run = runs.run_closed(target, wishes, think_seconds=think, progress=show.progress)
    _finish(show, "closed", options, [run], think_seconds=think)


@main.command("open")
@_common
@_target_options
@click.option("--rate", type=click.FloatRange(0.01), default=5.0, show_default=True)
@click.option("--arrivals", type=click.Choice(["poisson", "constant"]), default="poisson")
def open_(
    rate: float, arrivals: str, url: str | None, credentials: Path | None, **options: Any
) -> None:
    """Operations that arrive whether or not the earlier ones are answered."""
    show, wishes, poisson = Show(), _wishes(options), arrivals == "poisson"
    with _target(url, credentials) as target:
        run = runs.run_open(target, wishes, rate=rate, poisson=poisson, progress=show.progress)
    _finish(show, "open", options, [run], rate=rate, arrivals=arrivals)


@main.command()
@_common
@click.option("--rate", type=click.FloatRange(0.01), default=2.0, show_default=True)
@click.option("--throttle-share", type=click.FloatRange(0.001), default=0.1, show_default=True)
def overload(rate: float, throttle_share: float, **options: Any) -> None:
    """More and more operations until answers pile up, for --seconds, and back."""
    show, wishes = Show(), _wishes(options)
    plan = Plan(wishes.mix, rate=rate, hold_seconds=wishes.seconds, seed=wishes.seed)
    with _own({"BILLING_THROTTLE_SHARE": str(throttle_share)}) as target:
        run = runs.run_overload(target, wishes, plan, progress=show.progress)
    _finish(show, "overload", options, [run], rate=rate, throttle_share=throttle_share)


@main.command("compare")
@_common
@click.argument("what", type=click.Choice(["workers", "loops", "cache"]))
@click.option("--think", type=click.FloatRange(0), default=0.5, show_default=True)
def compare_(what: str, think: float, **options: Any) -> None:
    """Two payment workers or one, open loop or closed, results cached or computed."""
    show, wishes = Show(), _wishes(options)
    found, ratios = _compared(what, wishes, think, show)
    _finish(show, "compare", options, found, ratios, what=what, think_seconds=think)


def _compared(
    what: str, wishes: runs.Wishes, think: float, show: Show
) -> tuple[list[Json], list[Json]]:
    if what == "workers":
        return compare.compare_workers(wishes, show.progress)
    with _own({}) as target:
        if what == "cache":
            return compare.compare_cache(target, wishes, progress=show.progress)
        return compare.compare_loops(target, wishes, think_seconds=think, progress=show.progress)


def _wishes(options: Mapping[str, Any]) -> runs.Wishes:
    return runs.Wishes(
        users=options["users"],
        mix=options["mix"],
        seconds=options["seconds"],
        timeout_seconds=options["timeout"],
        seed=options["seed"],
    )


@contextmanager
def _target(url: str | None, credentials: Path | None) -> Iterator[Target]:
    if (url is None) != (credentials is None):
        raise click.UsageError("--url and --credentials go together.")
    if url is not None and credentials is not None:
        yield running_target(url, credentials)
        return
    with _own({}) as target:
        yield target


@contextmanager
def _own(variables: Mapping[str, str]) -> Iterator[Target]:
    with own_target(variables) as target:
        yield target


def _finish(
    show: Show,
    kind: str,
    options: Mapping[str, Any],
    found: list[Json],
    comparisons: list[Json] | None = None,
    **more: Any,
) -> None:
    """Show and write the report; exits with 1 if something is lost or wrong."""
    settings = {name: value for name, value in options.items() if name != "out"}
    settings |= {"mix": str(options["mix"]), **more}
    content = report(kind, settings=settings, runs=found, comparisons=comparisons or [])
    show.report(content)
    json_file, svg_file = options["out"] / f"{kind}.json", options["out"] / f"{kind}.svg"
    write(content, json_file)
    svg_file.write_text(picture(content), encoding="utf-8")
    show.written(json_file, svg_file)
    if not all(run.get("ledger", {"holds": True})["holds"] for run in found):
        show.failed("A request was lost or the books are wrong; see `ledger` in the report.")
        sys.exit(1)


def run() -> None:
    """Run the command; what keeps it from working is said in a sentence, with exit code 1."""
    try:
        main(prog_name="python -m tools.load")
    except (LoadError, LocalCloudError) as error:
        Show().failed(str(error))
        sys.exit(1)
