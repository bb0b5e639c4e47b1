"""Sizes for a number of residents: variable files that Terraform takes as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("tiers")
SERVICE = Path(__file__).parents[2] / "terraform" / "service.json"


class NoTier(Exception):
    """There are no sizes for so many residents."""


@dataclass(frozen=True)
class Sizes:
    """What is rented by the hour, and how large the functions are."""

    file: Path
    residents: int
    zones: int
    instance_class: str
    standby: bool
    storage_gib: int
    proxy: bool
    node_type: str
    nodes: int
    identity_tier: str
    memory_mib: Mapping[str, int]


def tiers() -> list[int]:
    """Return for how many residents there are sizes, the least first."""
    return sorted(int(file.name.partition(".")[0]) for file in FOLDER.glob("*.tfvars.json"))


def sizes_for(residents: int) -> Sizes:
    """Return the smallest sizes that carry so many residents.

    Raises:
        NoTier: there are more residents than the largest sizes are made for.
    """
    fitting = [tier for tier in tiers() if tier >= residents]
    if not fitting:
        raise NoTier(
            f"There are sizes for up to {tiers()[-1]:,} residents; add a file to {FOLDER}."
        )
    return _read(FOLDER / f"{fitting[0]}.tfvars.json")


def _read(file: Path) -> Sizes:
    variables = json.loads(file.read_text(encoding="utf-8"))
    database, cache = variables["database"], variables["cache"]
    return Sizes(
        file=file,
        residents=int(file.name.partition(".")[0]),
        zones=variables["network"]["zone_count"],
        instance_class=database["instance_class"],
        standby=database["multi_az"],
        storage_gib=database["allocated_storage_gib"],
        proxy=database["proxy_enabled"],
        node_type=cache["node_type"],
        nodes=cache["node_count"],
        identity_tier=variables["identity"]["tier"],
        memory_mib=_memory(variables["functions"]),
    )


def _memory(functions: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return each function's memory: what the tier says, else what every deployment has."""
    defaults = json.loads(SERVICE.read_text(encoding="utf-8"))["functions"]
    return {
        name: (default | functions.get(name, {}))["memory_mib"]
        for name, default in defaults.items()
    }
