"""Every planted bug, by the room of the code that it is in."""

from __future__ import annotations

from tests.mutants.planted_edge import EDGE
from tests.mutants.planted_payments import PAYMENTS
from tests.mutants.planted_privacy import PRIVACY
from tests.mutants.planted_reads import READS

CATALOGUE = (*EDGE, *PAYMENTS, *READS, *PRIVACY)
