"""How far the models are run: a little in each test run, far when asked.

`pytest --hypothesis-profile long tests/property tests/model_checking`, or
`HYPOTHESIS_PROFILE=long`, runs them for as long as it takes: other examples each time, and wider
bounds.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

LONG = "long"
USUAL = "usual"

# No test asserts a time: an example that takes long on a busy machine is no failure.
settings.register_profile(USUAL, parent=settings(), deadline=None, print_blob=True)
settings.register_profile(
    LONG,
    max_examples=2_000,
    stateful_step_count=80,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", USUAL))


def runs_long() -> bool:
    """Tell whether the long run was asked for; known once pytest is configured."""
    return settings.get_current_profile_name() == LONG


def own_timeout(seconds: int) -> int:
    """Return a time limit for a test, which a long run does not have."""
    return 0 if runs_long() else seconds
