"""The tables of inputs and outputs in a README, as terraform-docs writes them.

`python -m tests.support.terraform_readme` writes those of the root and of every module anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2

# Values are read, not written back.
PLAIN = hcl2.SerializationOptions(
    with_comments=False, explicit_blocks=False, strip_string_quotes=True
)
TERRAFORM = Path(__file__).resolve().parents[2] / "terraform"
_BEGIN, _END = "<!-- BEGIN_TF_DOCS -->\n", "<!-- END_TF_DOCS -->\n"


def with_tables(module: Path) -> str:
    """Return the text of a module's README with its tables written anew."""
    before, begin, rest = (module / "README.md").read_text(encoding="utf-8").partition(_BEGIN)
    return f"{before}{begin}{_tables(module)}{_END}{rest.partition(_END)[2]}"


def _tables(module: Path) -> str:
    inputs = ["| Name | Description | Type | Default |", "| --- | --- | --- | --- |"]
    for name, variable in blocks(module / "variables.tf", "variable"):
        kind, default = _type(variable["type"]), _default(variable)
        inputs.append(f"| `{name}` | {variable['description']} | `{kind}` | {default} |")
    outputs = ["| Name | Description |", "| --- | --- |"]
    for name, output in blocks(module / "outputs.tf", "output"):
        outputs.append(f"| `{name}` | {output['description']} |")
    return "\n".join(["## Inputs", "", *inputs, "", "## Outputs", "", *outputs, ""])


def blocks(file: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the blocks of one kind, with their names."""
    with file.open(encoding="utf-8") as text:
        for block in hcl2.load(text, serialization_options=PLAIN).get(kind, []):
            yield from block.items()


def _type(written: str) -> str:
    return " ".join(re.sub(r"^\$\{(.*)\}$", r"\1", written, flags=re.DOTALL).split())


def _default(variable: dict[str, Any]) -> str:
    return f"`{_value(variable['default'])}`" if "default" in variable else "required"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {_value(one)}" for key, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return json.dumps(value)


if __name__ == "__main__":
    for folder in (TERRAFORM, *(TERRAFORM / "modules").iterdir()):
        (folder / "README.md").write_text(with_tables(folder), encoding="utf-8")
