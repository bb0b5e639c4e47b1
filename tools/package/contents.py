"""Decides which files of Chalice's zip the functions need.

Chalice takes libraries whole. Most of that is never read by a function: descriptions of 400 AWS
services, tests, stubs, metadata. A smaller package is fetched and unpacked sooner on a cold start.
"""

from __future__ import annotations

import re

# The services that the functions have clients of; a test compares them with the code.
AWS_SERVICES = ("cognito-idp", "secretsmanager", "sqs")

_UNUSED = tuple(
    re.compile(pattern)
    for pattern in (
        # The operators' command runs on their machines.
        r"^billing_app/admin/cli/",
        # Made on whatever machine packaged; `bytecode` makes them again.
        r"(^|/)__pycache__/",
        # Nothing looks its own version or entry points up here.
        r"^[^/]+\.(dist-info|data)/",
        r"(^|/)tests?/",
        r"\.(pyi|typed|c|h|pyx)$",
        # Only clients are used, no resources; their descriptions go with them.
        r"^boto3/(data|examples)/",
        r"^botocore/data/[^/]+/[^/]+/examples-1\.json$",
        # Only yoyo's command that lists migrations prints tables.
        r"^tabulate/",
        # importlib_metadata, for yoyo, needs it for zipped installations only.
        r"^zipp/",
    )
)
_SERVICE = re.compile(r"^botocore/data/([^/]+)/")


def is_needed(name: str) -> bool:
    """Tell whether the file goes into the package; `name` is its path in the zip."""
    service = _SERVICE.match(name)
    if service and service.group(1) not in AWS_SERVICES:
        return False
    return not name.endswith("/") and not any(unused.search(name) for unused in _UNUSED)
