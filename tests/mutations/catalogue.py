"""Every planted bug, by the room of the code that it is in."""

from __future__ import annotations

from tests.mutations.planted_edge import EDGE
from tests.mutations.planted_payments import PAYMENTS
from tests.mutations.planted_privacy import PRIVACY
from tests.mutations.planted_reads import READS

CATALOGUE = (*EDGE, *PAYMENTS, *READS, *PRIVACY)
