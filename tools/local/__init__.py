"""The same service on one machine: embedded servers, workers, the gateway and demo data."""

from __future__ import annotations
