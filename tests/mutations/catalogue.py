"""Every planted bug, by the part of the code that it is in."""

from __future__ import annotations

from tests.mutations.bugs_in_client import BUGS_IN_CLIENT
from tests.mutations.bugs_in_python import BUGS_IN_PYTHON
from tests.mutations.bugs_in_sql import BUGS_IN_SQL
from tests.mutations.bugs_in_terraform import BUGS_IN_TERRAFORM
from tests.mutations.mutation import read

_BUGS = (BUGS_IN_CLIENT, BUGS_IN_PYTHON, BUGS_IN_SQL, BUGS_IN_TERRAFORM)
CATALOGUE = tuple(mutation for bugs in _BUGS for mutation in read(bugs))
