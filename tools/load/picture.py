"""The report as one SVG: what arrived and was answered each second, latencies, queues."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import pygal
from pygal.style import Style

Json = dict[str, Any]

# pygal looks for packages of maps in a way that Python warns of at every import thereafter.
sys.meta_path[:] = [it for it in sys.meta_path if not isinstance(it, pygal.PluginImportFixer)]

WIDTH, HEIGHT = 860, 260
# What only a script would show, and what dates the picture.
_UNSEEN = re.compile(
    r"<!--.*?-->|<desc.*?</desc>|<title>.*?</title>|<script.*?</script>", re.DOTALL
)
_DECIMALS = re.compile(r"(\d+\.\d)\d+")
_STYLE = Style(
    background="white",
    plot_background="white",
    font_family="sans-serif",
    colors=("#1f77b4", "#2ca02c", "#d62728", "#ff7f0e", "#9467bd"),
)
_PERCENTILES = ("p50", "p90", "p99", "max")


def picture(report: Json) -> str:
    """Draw the last run of a report as SVG."""
    run = report["runs"][-1]
    charts = [_throughput(run), _latencies(run)]
    if run.get("depths"):
        charts.append(_depths(run))
    return _stacked(charts)


def _throughput(run: Json) -> str:
    rows = run["timeline"]
    chart = _lines("Operations a second", "seconds of the run")
    for title, key in (
        ("due", "due"),
        ("done", "done"),
        ("failed", "failed"),
        ("429", "throttled"),
    ):
        chart.add(title, [(row["second"], row[key]) for row in rows])
    return _svg(chart)


def _latencies(run: Json) -> str:
    slowest = run["all"]["answered_ms"]["max"] or 1
    options = _options("Time to the answer in ms, from when it was due")
    # Without a range pygal lets the smallest bar vanish.
    chart = pygal.Bar(logarithmic=True, range=(1, slowest), zero=1, **options)
    chart.x_labels = _PERCENTILES
    chart.y_labels = [10**power for power in range(math.ceil(math.log10(slowest)) + 1)]
    for name, operation in run["operations"].items():
        chart.add(name, [operation["answered_ms"][at] for at in _PERCENTILES])
    return _svg(chart)


def _depths(run: Json) -> str:
    chart = _lines("Requests that wait or are worked on", "seconds of the run")
    rows = run["depths"]
    for name in rows[0]["queues"]:
        chart.add(name, [(row["second"], row["queues"][name]) for row in rows])
    return _svg(chart)


def _lines(title: str, x_title: str) -> Any:
    return pygal.XY(show_dots=False, x_title=x_title, **_options(title))


def _options(title: str) -> Json:
    # No script and no tooltip: the picture is looked at in a page.
    return {
        "title": title,
        "width": WIDTH,
        "height": HEIGHT,
        "style": _STYLE,
        "js": [],
        "show_legend": True,
        "legend_at_bottom": False,
        "no_data_text": "nothing",
    }


def _svg(chart: Any) -> str:
    text: str = chart.render(is_unicode=True)
    return _DECIMALS.sub(r"\1", _UNSEEN.sub("", text.partition("?>")[2]))


def _stacked(charts: Sequence[str]) -> str:
    inner = "".join(_placed(charts))
    size = f'width="{WIDTH}" height="{HEIGHT * len(charts)}"'
    box = f'viewBox="0 0 {WIDTH} {HEIGHT * len(charts)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box}>{inner}</svg>\n'


def _placed(charts: Iterable[str]) -> Iterable[str]:
    for number, chart in enumerate(charts):
        place = f'<svg y="{number * HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        yield chart.replace("<svg ", place, 1)
