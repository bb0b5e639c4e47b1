"""Which process holds the other end of a connection."""

from __future__ import annotations

import psutil


def owner_of(port: int) -> int | None:
    """Return the id of the process whose socket has this local TCP port; None when it is gone."""
    for connection in psutil.net_connections("tcp4"):
        if connection.laddr and connection.laddr.port == port and connection.pid:
            return int(connection.pid)
    return None
