"""The deployment check from beginning to end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from billing_client import BillingClient

from tools.console import Console
from tools.deploy_check.cloud import Cloud
from tools.deploy_check.contract import applied_document
from tools.deploy_check.cross_role_access import require_no_access, require_private_replies
from tools.deploy_check.deployment import package, prepare
from tools.deploy_check.environment import Environment, running
from tools.deploy_check.errors import DeployCheckError
from tools.deploy_check.functions import Functions
from tools.deploy_check.gateway import serving
from tools.deploy_check.journey import Resident, make_journey, use_other_operations
from tools.deploy_check.least_privilege import Finding, PermissionProbe, RoleActions
from tools.deploy_check.orphaned_resources import orphaned_resources
from tools.deploy_check.poison import try_poison
from tools.deploy_check.privileges import Decisions, Permission, Roles, too_wide, unused
from tools.deploy_check.requests import ReplyQueues, Requests
from tools.deploy_check.terraform import Terraform, program


@dataclass(frozen=True)
class Options:
    """What is deployed, and whose permissions are all tried (None: everybody's)."""

    variable_files: Sequence[Path]
    variables: Mapping[str, str]
    roles: Sequence[str] | None


def run(folder: Path, options: Options, console: Console) -> None:
    """Run the check in an empty folder, whose `logs` stay.

    Raises:
        DeployCheckError: at the first thing that is not as it should be.
        MissingPrerequisiteError: this machine lacks something.
    """
    # Before half a minute of starting things.
    program()
    with ExitStack() as stack:
        with console.step("Starting emulators, Postgres and the cache"):
            environment = stack.enter_context(running(folder))
        _Check(environment, options, console).run()


class _Check:
    """Applies, uses and destroys a deployment."""

    def __init__(self, environment: Environment, options: Options, console: Console) -> None:
        self._environment, self._options, self._console = environment, options, console
        self._step = console.step

    def run(self) -> None:
        with self._step("Packaging the functions and preparing Terraform"):
            terraform = self._prepare()
        with self._step("Applying everything"):
            terraform.apply()
        with self._step("Planning again, which must find nothing to do"):
            _require_none("A second plan is not empty", terraform.changes())
        cloud = Cloud(self._environment, terraform.outputs())
        self._use(cloud)
        with self._step("Destroying everything"):
            terraform.destroy()
        with self._step("Looking for orphaned resources"):
            _require_none("Not everything is gone", orphaned_resources(cloud))

    def _prepare(self) -> Terraform:
        folder, files = self._environment.folder / "terraform", self._options.variable_files
        prepare(folder, variable_files=files, environment=self._environment)
        # The package has Terraform's description of the functions with it.
        package(folder)
        terraform = Terraform(
            folder,
            log=self._environment.logs / "terraform.log",
            environment=self._environment.credentials,
            variables=self._options.variables,
        )
        terraform.init()
        return terraform

    def _use(self, cloud: Cloud) -> None:
        cache: Any = redis.Redis.from_url(cloud.environment.redis_url)
        self._console.say(f"users of the cache: {', '.join(_create_users(cloud, cache))}")
        document = applied_document(cloud.client("apigateway"), cloud.outputs)
        functions = Functions(cloud)
        with serving(cloud, document) as url:
            with self._step("A resident's journey through the deployed service"):
                resident = make_journey(url, functions.operator, self._console.say)
            cached = int(cache.dbsize())
            _require_none("No function has stored a result", [] if cached else ["the cache"])
            self._console.say(f"the cache holds {cached} results")
            with self._step("A poison message in each queue, up to its dead-letter queue"):
                received = try_poison(cloud)
            self._console.say(f"received so often, then put aside: {received}")
            requests = Requests(cloud, functions, resident)
            replies, token = ReplyQueues(cloud, requests), _id_token(url, resident)
            with self._step("Trying reply queues as somebody whose role may do anything"):
                tried = require_private_replies(cloud, replies.urls())
            self._console.say(f"{tried} attempts were rejected")
            actors = RoleActions(functions, requests, replies, resident, url, token)
            self._try_permissions(cloud, actors)
            with self._step("Acting in each role on what is not its own"):
                tried = require_no_access(cloud)
            self._console.say(f"{tried} calls of queues and secrets were rejected")
            with self._step("Sweeping all reply queues"):
                swept = replies.sweep(functions)
            self._console.say(f"{swept} reply queues were deleted")

    def _try_permissions(self, cloud: Cloud, actors: RoleActions) -> None:
        decisions = Decisions(self._environment.decisions)
        roles, outputs = Roles(cloud.client("iam")), cloud.outputs
        arns = {**outputs["function_role_arns"], "gateway": outputs["gateway_role_arn"]}
        names = {arn.rpartition("/")[2]: name for name, arn in arns.items()}
        with self._step("Looking for permissions that nobody used"):
            use_other_operations(actors.functions.operator, actors.resident)
            actors.requests.meet_other_queues()
            actors.replies.create_expired()
            actors.functions.sweep()
            held = [one for role in names for one in roles.permissions(role)]
            seen = decisions.since()
            _require_none("Permissions are not used", map(str, unused(held, seen)))
            _require_none("Permissions allow more than is used", too_wide(held, seen))
        self._show_unseen(held)
        chosen = self._options.roles or arns
        tried = [one for one in held if one.reason_unseen is None and names[one.role] in chosen]
        with self._step(f"Denying {len(tried)} permissions in turn"):
            findings = PermissionProbe(roles, decisions, actors, names).findings(tried)
        self._show_findings(findings)
        wrong = [str(one.permission) for one in findings if not one.is_right]
        _require_none("Permissions are not needed", wrong)

    def _show_unseen(self, held: Sequence[Permission]) -> None:
        rows = sorted({(one.reason_unseen, one.action) for one in held if one.reason_unseen})
        self._console.table("Permissions that only AWS itself uses", ("Why", "Action"), rows)

    def _show_findings(self, findings: Sequence[Finding]) -> None:
        rows = [
            (
                one.actor,
                one.permission.action,
                one.permission.resource.rpartition(":")[2],
                one.outcome,
            )
            for one in findings
        ]
        columns = ("Role", "Action", "Resource", "Without it")
        self._console.table("Permissions denied", columns, rows)


def _create_users(cloud: Cloud, cache: Any) -> list[str]:
    """Give the server in place of ElastiCache the applied users, with what they may do.

    Tokens of IAM are checked by ElastiCache alone, so here any password does.
    """
    users = [
        user
        for user in cloud.client("elasticache").describe_users()["Users"]
        if user["UserId"].startswith(cloud.prefix) and user["UserName"] != "default"
    ]
    for user in users:
        rules = user["AccessString"].split()
        cache.execute_command("ACL", "SETUSER", user["UserName"], "reset", *rules, "nopass")
    return [user["UserName"] for user in users]


def _id_token(url: str, resident: Resident) -> str:
    with BillingClient(url) as client:
        return client.login(resident.username, resident.password).tokens.id_token


def _require_none(what: str, found: Iterable[str]) -> None:
    if lines := list(found):
        raise DeployCheckError("\n  ".join([f"{what}:", *lines]))
