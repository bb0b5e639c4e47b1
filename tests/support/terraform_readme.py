"""The tables of a module's README, rendered from its variables.tf and outputs.tf."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2


def rows(module: Path) -> Iterator[str]:
    """Write a row for each variable, then one for each output."""
    for name, variable in blocks(module / "variables.tf", "variable"):
        kind, default = _type(variable["type"]), _default(variable)
        yield f"| `{name}` | `{kind}` | {default} | {_text(variable['description'])} |"
    for name, output in blocks(module / "outputs.tf", "output"):
        yield f"| `{name}` | {_text(output['description'])} |"


def blocks(file: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the blocks of one kind, with their names."""
    with file.open(encoding="utf-8") as text:
        for block in hcl2.load(text).get(kind, []):
            [(name, content)] = block.items()
            yield name.strip('"'), content


def alike(row: str) -> str:
    """Reduce a row to what matters: types may be broken into lines and comma-separated or not."""
    return re.sub(r"[\s,\\]", "", row)


def _type(written: str) -> str:
    return re.sub(r"^\$\{(.*)\}$", r"\1", written, flags=re.DOTALL)


def _default(variable: dict[str, Any]) -> str:
    return f"`{_value(variable['default'])}`" if "default" in variable else "required"


def _value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if not key.startswith("__")}
        inside = ", ".join(f"{key} = {_value(one)}" for key, one in kept.items())
        return f"{{ {inside} }}" if inside else "{}"
    return str(value)


def _text(written: str) -> str:
    return written[1:-1].replace('\\"', '"')
