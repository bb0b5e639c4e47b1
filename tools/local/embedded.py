"""Servers from wheels, as child processes that listen on 127.0.0.1 alone."""

from __future__ import annotations

import importlib.util
from abc import abstractmethod
from pathlib import Path

from tools.local.children import Child
from tools.local.errors import LocalStackError


class EmbeddedServer(Child):
    """A server that the local stack brings along."""

    @abstractmethod
    def prepare(self) -> None:
        """Settle on port and password, and write what the server reads."""

    @property
    @abstractmethod
    def url(self) -> str:
        """URL with user and password."""

    def start(self) -> str:
        """Start the server and return its URL.

        Raises:
            LocalStackError: Its package is missing, or it does not come up.
        """
        self.prepare()
        self.launch()
        self.wait_until_ready()
        return self.url


def package_folder(package: str, variable: str) -> Path:
    """Find an installed package. It isn't imported: some do more on import than one wants.

    Raises:
        LocalStackError: It is not installed; `variable` names a server that can be used instead.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise LocalStackError(
            f"The Python package {package} is not installed. Run `make install`, or set {variable}"
            " to use a server that you have."
        )
    return Path(found.origin).parent
