"""Starts everything, keeps it running and ends it: ``python -m tools.local up``."""

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from billing_app.adapters import migrations
from tools.local.application import gateway_child, worker_children, worker_names
from tools.local.children import Child, stop_all
from tools.local.clients import Clients
from tools.local.cloud import Cloud, write_cloud
from tools.local.demo import ensure_demo
from tools.local.errors import LocalCloudError
from tools.local.health import check_health
from tools.local.provision import (
    Identity,
    database_secret,
    provision_identity,
    provision_queues,
    provision_secrets,
)
from tools.local.ready import mark_ready
from tools.local.servers import Servers
from tools.local.settings import Settings
from tools.local.show import Show
from tools.local.state import StateFolder

_READY_SECONDS = 60.0
_LOOK_SECONDS = 5.0
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """One run of the local cloud, in this process and its children."""

    def __init__(self, settings: Settings, show: Show) -> None:
        self._settings = settings
        self._show = show
        self._folder = StateFolder(settings.state)
        self._servers = Servers(settings, self._folder)
        self._application: list[Child] = []
        self._started = time.monotonic()

    def run(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP.

        Raises LocalCloudError when it can't start; no process is left then either.
        """
        require_free_port(self._settings.port, self._folder)
        self._folder.acquire()
        with _signals_interrupt() as wake_up:
            try:
                self._start()
                self._watch(wake_up)
            except KeyboardInterrupt:
                self._show.note("Ending. Ctrl-C once more doesn't wait for work in progress.")
            finally:
                self._stop()

    @property
    def _children(self) -> list[Child]:
        return [*self._servers.children, *self._application]

    def _start(self) -> None:
        with self._show.step("Starting the servers", "Database, cache and AWS services"):
            self._servers.start(after_aws_restart=self._provision_again)
            self._servers.wait_until_ready()
        with self._show.step("Making queues, user pool and secrets", "Queues, users and secrets"):
            cloud = self._provision()
        self._launch_application(cloud)
        with self._show.step("Migrating the database", "Schema"):
            _migrate(cloud.database_url, self._servers.role_passwords())
        with self._show.step("Making demo residents with two years of bills", "Demo residents"):
            demo = ensure_demo(self._folder.path, cloud, self._clients())
        with self._show.step("Waiting for workers and gateway", "Workers and gateway"):
            self._wait_for_application()
        self._show.ready(
            api=cloud.api,
            demo=demo,
            logs=str(self._folder.logs),
            seconds=time.monotonic() - self._started,
        )

    def _clients(self) -> Clients:
        return Clients(endpoint_url=self._servers.aws_endpoint_url, region=self._settings.region)

    def _provision(self) -> Cloud:
        try:
            identity = self._provision_services()
        except (BotoCoreError, ClientError) as error:
            url = self._servers.aws_endpoint_url
            raise LocalCloudError(
                f"The AWS services at {url} could not be set up: {error}"
            ) from error
        cloud = self._cloud(identity)
        write_cloud(self._folder.path, cloud)
        return cloud

    def _provision_services(self) -> Identity:
        clients = self._clients()
        identity = provision_identity(clients, self._settings)
        provision_queues(clients, self._settings)
        provision_secrets(
            clients,
            self._settings,
            database_url=self._servers.database_url,
            redis_url=self._servers.redis_url,
            role_passwords=self._servers.role_passwords(),
        )
        return identity

    def _provision_again(self) -> None:
        """Give restarted AWS services what they only had in memory."""
        try:
            self._provision_services()
        except (BotoCoreError, ClientError) as error:
            # They died once more; their next restart calls this again.
            self._show.note(f"the AWS services could not be set up again: {error}")

    def _cloud(self, identity: Identity) -> Cloud:
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

    def _launch_application(self, cloud: Cloud) -> None:
        self._application = [
            *worker_children(self._settings, self._folder, cloud),
            gateway_child(self._settings, self._folder, cloud),
        ]
        for child in self._application:
            child.launch()
        self._note_pids(cloud)

    def _wait_for_application(self) -> None:
        for child in self._application:
            child.wait_until_ready(seconds=_READY_SECONDS)
        mark_ready(self._folder.ready_file)
        health = check_health(self._folder.path)
        if not health.ready:
            raise LocalCloudError(f"Started, but not all is ready: {health.parts}")

    def _note_pids(self, cloud: Cloud) -> None:
        pids = {child.name: child.process.pid for child in self._children if child.process}
        write_cloud(self._folder.path, replace(cloud, pids={"supervisor": os.getpid()} | pids))
        self._cloud_now = cloud

    def _watch(self, wake_up: socket.socket) -> None:
        while True:
            for child in self._children:
                self._tend(child)
            pauses = [pause for child in self._children if (pause := child.pause()) is not None]
            select.select([wake_up], [], [], min([_LOOK_SECONDS, *pauses]))
            _drain(wake_up)

    def _tend(self, child: Child) -> None:
        before = child.process
        line = child.tend()
        if child.process is not before:
            self._note_pids(self._cloud_now)
        if line is not None:
            self._show.note(line)

    def _stop(self) -> None:
        for number in _ENDING_SIGNALS:
            signal.signal(number, self._force)
        stop_all(self._children)
        self._folder.release()

    def _force(self, _number: int, _frame: FrameType | None) -> None:
        for child in self._children:
            child.force()


def _migrate(database_url: str, role_passwords: dict[str, str]) -> None:
    """Bring the database to this checkout's schema. Raises LocalCloudError when it can't."""
    passwords = {f"billing_{role}": password for role, password in role_passwords.items()}
    try:
        migrations.migrate(secret=database_secret(database_url), role_passwords=passwords)
    except migrations.MigrationError as error:
        raise LocalCloudError(f"The database could not be migrated: {error}") from error


def require_free_port(port: int, folder: StateFolder) -> None:
    """Raise LocalCloudError when something else listens on the port."""
    if folder.holder() is not None:
        # Then it is our own service that listens, and the lock says so better.
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LocalCloudError(
                f"Port {port} of 127.0.0.1 is in use. End what listens there, or choose another:"
                f" `make up PORT={port + 1}`."
            ) from error


@contextmanager
def _signals_interrupt() -> Iterator[socket.socket]:
    """Have signals raise KeyboardInterrupt, and each (also of a child's end) wake the socket."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    for number in _ENDING_SIGNALS:
        signal.signal(number, interrupt)
    # Python only writes to the wake-up socket for signals that have a handler of its own.
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(-1)
        reader.close()
        writer.close()


def _drain(wake_up: socket.socket) -> None:
    try:
        while wake_up.recv(4096):
            pass
    except BlockingIOError:
        return
