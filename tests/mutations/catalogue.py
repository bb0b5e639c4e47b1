"""Every planted bug, by the part of the code that it is in."""

from __future__ import annotations

from tests.mutations.bugs_in_python import BUGS_IN_PYTHON
from tests.mutations.bugs_in_sql import BUGS_IN_SQL
from tests.mutations.mutation import read

CATALOGUE = (*read(BUGS_IN_PYTHON), *read(BUGS_IN_SQL))
