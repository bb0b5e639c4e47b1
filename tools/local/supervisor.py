"""Starts everything, keeps it running and ends it: `python -m tools.local up`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from billing_app.adapters import migrations
from tools.console import Console
from tools.local import processes
from tools.local.application import application_children, worker_names
from tools.local.children import Child, stop_all
from tools.local.clients import Clients
from tools.local.cloud import Cloud, write_cloud
from tools.local.demo import ensure_demo
from tools.local.errors import LocalStackError
from tools.local.files import mark_ready
from tools.local.health import check_health
from tools.local.provision import (
    Identity,
    database_secret,
    provision_identity,
    provision_queues,
    provision_secrets,
)
from tools.local.servers import Servers
from tools.local.settings import Settings
from tools.local.state import StateFolder

_LOOK_SECONDS = 0.1
# Where the billing command looks unless it is told otherwise.
_USUAL_API = "http://127.0.0.1:8000"


class Supervisor:
    """One run of the local stack, in this process and its children."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings = settings
        self._console = console
        self._folder = StateFolder(settings.state)
        self._servers = Servers(settings, self._folder)
        self._application: list[Child] = []

    def run(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP.

        Raises:
            LocalStackError: It can't start; no process is left then either.
        """
        require_free_port(self._settings.port, self._folder)
        self._folder.acquire()
        on_ending_signals(_interrupt)
        try:
            self._start()
            self._watch()
        except KeyboardInterrupt:
            self._console.say("Ending. Press Ctrl-C again to end without waiting for work.")
        finally:
            self._stop()

    @property
    def _children(self) -> list[Child]:
        return [*self._servers.children, *self._application]

    def _start(self) -> None:
        step = self._console.step
        with step("Start database, cache and AWS services"):
            self._servers.start(after_aws_restart=self._provision_again)
        with step("Make queues, users and secrets"):
            self._cloud = self._described(self._provision())
            write_cloud(self._folder.path, self._cloud)
        self._application = application_children(self._settings, self._folder, self._cloud)
        for child in self._application:
            child.launch()
        self._note_pids()
        with step("Migrate the database"):
            _migrate(
                self._cloud.database_url,
                self._servers.role_passwords(),
                self._settings.time_zone,
            )
        with step("Make demo residents with two years of bills"):
            demo = ensure_demo(self._folder.path, self._cloud, self._clients())
        with step("Wait for workers and gateway"):
            self._wait_for_application()
        self._show_ready(demo)

    def _clients(self) -> Clients:
        return Clients(endpoint_url=self._servers.aws_endpoint_url, region=self._settings.region)

    def _provision(self) -> Identity:
        clients = self._clients()
        try:
            identity = provision_identity(clients, self._settings)
            provision_queues(clients, self._settings)
            provision_secrets(
                clients,
                self._settings,
                database_url=self._servers.database_url,
                redis_url=self._servers.redis_url,
                role_passwords=self._servers.role_passwords(),
            )
        except (BotoCoreError, ClientError) as error:
            url = self._servers.aws_endpoint_url
            raise LocalStackError(
                f"The AWS services at {url} could not be set up: {error}"
            ) from error
        return identity

    def _provision_again(self) -> None:
        """Give restarted AWS services what they only had in memory."""
        try:
            self._provision()
        except LocalStackError as error:
            # They died once more; their next restart calls this again.
            self._console.say(str(error), style="yellow")

    def _described(self, identity: Identity) -> Cloud:
        settings, servers = self._settings, self._servers
        return Cloud(
            api=f"http://127.0.0.1:{settings.port}",
            prefix=settings.prefix,
            region=settings.region,
            aws_endpoint_url=servers.aws_endpoint_url,
            aws_is_embedded=settings.aws_endpoint_url is None,
            database_url=servers.database_url,
            redis_url=servers.redis_url,
            user_pool_id=identity.user_pool_id,
            user_pool_client_id=identity.user_pool_client_id,
            workers=worker_names(settings),
            logs=str(self._folder.logs),
        )

    def _wait_for_application(self) -> None:
        for child in self._application:
            child.wait_until_ready()
        mark_ready(self._folder.ready_file)
        parts = check_health(self._folder.path)
        if not all(parts.values()):
            raise LocalStackError(f"Started, but not all is ready: {parts}")

    def _show_ready(self, demo: dict[str, Any]) -> None:
        console, api, residents = self._console, self._cloud.api, demo["residents"]
        console.passed(f"Ready: {api}")
        console.text(
            f"  contract  {api}/docs\n  health    {api}/health\n  logs      {self._folder.logs}\n"
        )
        fields = ("username", "password", "name")
        rows = [[*(r[name] for name in fields), "\n".join(r["apartments"])] for r in residents]
        title = "Demo residents (for this machine only)"
        console.table(title, ("Username", "Password", "Name", "Apartments"), rows)
        url = "" if api == _USUAL_API else f"  export BILLING_URL={api}\n"
        console.text(
            f"\nNext, in another terminal:\n  . .venv/bin/activate\n{url}"
            f"  billing login {residents[0]['username']}\n  billing debts --apartment 1\n\n"
            "Press Ctrl-C to end it all.\n"
        )

    def _note_pids(self) -> None:
        pids = {child.name: child.process.pid for child in self._children if child.process}
        write_cloud(
            self._folder.path, replace(self._cloud, pids={"supervisor": os.getpid()} | pids)
        )

    def _watch(self) -> None:
        while True:
            for child in self._children:
                before, line = child.process, child.poll()
                if child.process is not before:
                    self._note_pids()
                if line is not None:
                    self._console.say(line, style="yellow")
            time.sleep(_LOOK_SECONDS)

    def _stop(self) -> None:
        on_ending_signals(self._force)
        stop_all(self._children)
        self._folder.release()

    def _force(self, _number: int, _frame: FrameType | None) -> None:
        for child in self._children:
            child.force()


def _migrate(database_url: str, role_passwords: dict[str, str], time_zone: str) -> None:
    """Bring the database to this checkout's schema."""
    passwords = {f"billing_{role}": password for role, password in role_passwords.items()}
    try:
        migrations.migrate(
            secret=database_secret(database_url), role_passwords=passwords, time_zone=time_zone
        )
    except migrations.MigrationError as error:
        raise LocalStackError(f"The database could not be migrated: {error}") from error


def require_free_port(port: int, folder: StateFolder) -> None:
    """See that nothing else listens on the port.

    Raises:
        LocalStackError: Something does.
    """
    # When our own service listens there, the lock says so better.
    if folder.holder() is None and processes.free_port(port) != port:
        raise LocalStackError(
            f"Port {port} of 127.0.0.1 is in use. End what listens there, or choose another:"
            f" `make up PORT={port + 1}`."
        )


def on_ending_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    """Have the signals that ask for an end call the handler."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
