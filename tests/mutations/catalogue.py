"""Every planted bug, by the part of the code that it is in."""

from __future__ import annotations

from tests.mutations.mutations_edge import EDGE
from tests.mutations.mutations_payments import PAYMENTS
from tests.mutations.mutations_privacy import PRIVACY
from tests.mutations.mutations_reads import READS

CATALOGUE = (*EDGE, *PAYMENTS, *READS, *PRIVACY)
