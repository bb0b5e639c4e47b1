"""The deployment check from beginning to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing_client import BillingClient

from tools.console import Console
from tools.deploy_check.applied_cache import AppliedCache
from tools.deploy_check.cloud import Cloud
from tools.deploy_check.contract import applied_document
from tools.deploy_check.cross_role_access import require_no_access
from tools.deploy_check.deployment import package, prepare
from tools.deploy_check.environment import Environment, running
from tools.deploy_check.errors import DeployCheckError
from tools.deploy_check.gateway import serving
from tools.deploy_check.journey import make_journey
from tools.deploy_check.least_privilege import Finding, PermissionProbe, RoleActions
from tools.deploy_check.operator_client import OperatorClient, Resident
from tools.deploy_check.orphaned_resources import orphaned_resources
from tools.deploy_check.poison import try_poison
from tools.deploy_check.privileges import Decisions, Permission, Roles, unused
from tools.deploy_check.requests import ReplyQueues, Requests
from tools.deploy_check.terraform import Terraform, program

SHORT = ("gateway", "payments")


@dataclass(frozen=True)
class Options:
    """What is deployed, and whose permissions are all tried (None: everybody's)."""

    variable_files: Sequence[Path]
    variables: Mapping[str, str]
    roles: Sequence[str] | None
    emulator: Path


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
            started = stack.enter_context(running(folder, emulator=options.emulator))
        _Check(started, options, console).run()


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
        outputs = terraform.outputs()
        # The provider's region is the operator's variable; every ARN has it.
        cloud = Cloud(self._environment, region=outputs["alarm_topic_arn"].split(":")[3])
        prefix = outputs["gateway_role_arn"].rpartition("/")[2].removesuffix("-gateway")
        self._use(cloud, prefix, outputs)
        with self._step("Destroying everything"):
            terraform.destroy()
        with self._step("Looking for orphaned resources"):
            _require_none("Not everything is gone", orphaned_resources(cloud, prefix))

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

    def _use(self, cloud: Cloud, prefix: str, outputs: Mapping[str, Any]) -> None:
        cache = AppliedCache(cloud)
        self._console.say(f"users of the cache: {', '.join(cache.create_users(prefix))}")
        stage = outputs["stage_name"]
        document = applied_document(
            cloud.client("apigateway"), rest_api_id=outputs["rest_api_id"], stage_name=stage
        )
        role_arn = outputs["gateway_role_arn"]
        with serving(cloud, document=document, role_arn=role_arn, stage_name=stage) as url:
            operators = OperatorClient(cloud, outputs["function_names"])
            with self._step("A resident's journey through the deployed service"):
                resident = make_journey(url, operators, self._console.say)
            self._console.say(f"the cache holds {cache.require_use()} results")
            with self._step("A poison message, up to the dead-letter queue"):
                received = try_poison(cloud, outputs)
            self._console.say(f"received {received} times, then put aside")
            actors = RoleActions(
                cloud=cloud,
                operators=operators,
                requests=Requests(cloud, operators, prefix=prefix, resident=resident),
                replies=ReplyQueues(cloud, prefix=prefix),
                resident=resident,
                url=url,
                id_token=_id_token(url, resident),
                function_names=outputs["function_names"],
            )
            self._try_permissions(actors, outputs)
            with self._step("Acting as each function on other functions' resources"):
                tried = require_no_access(
                    cloud,
                    prefix=prefix,
                    role_arns=outputs["function_role_arns"],
                    function_names=outputs["function_names"],
                )
            self._console.say(f"{tried} queues and secrets were rejected")
            with self._step("Sweeping all reply queues"):
                swept = actors.replies.sweep(operators)
            self._console.say(f"{swept} reply queues were deleted")

    def _try_permissions(self, actors: RoleActions, outputs: Mapping[str, Any]) -> None:
        decisions = Decisions(self._environment.decisions)
        roles = Roles(actors.cloud.client("iam"))
        arns = {**outputs["function_role_arns"], "gateway": outputs["gateway_role_arn"]}
        names = {arn.rpartition("/")[2]: name for name, arn in arns.items()}
        with self._step("Looking for permissions that nobody used"):
            _use_the_rest(actors)
            held = [one for role in names for one in roles.permissions(role)]
            found = unused(held, decisions.since())
            _require_none("Permissions are not used", [str(one) for one in found])
        self._show_unseen(held)
        tried = [
            one
            for one in held
            if one.reason_unseen is None
            and (self._options.roles is None or names[one.role] in self._options.roles)
        ]
        with self._step(f"Taking away {len(tried)} permissions in turn"):
            findings = PermissionProbe(roles, decisions, actors, names).findings(tried)
        self._show_findings(findings)
        wrong = [str(one.permission) for one in findings if not one.is_right]
        _require_none("Permissions are not needed", wrong)

    def _show_unseen(self, held: Sequence[Permission]) -> None:
        actions: dict[str, set[str]] = {}
        for one in held:
            if one.reason_unseen is not None:
                actions.setdefault(one.reason_unseen, set()).add(one.action)
        rows = [(", ".join(sorted(names)), why) for why, names in sorted(actions.items())]
        self._console.table("Permissions that only AWS itself uses", ("Action", "Why"), rows)

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
        self._console.table("Permissions taken away", columns, rows)


def _use_the_rest(actors: RoleActions) -> None:
    """Call what the journey had no reason to call."""
    actors.operators.move_in_and_out(actors.resident)
    actors.replies.create_expired(actors.requests)
    actors.operators.sweep()
    leaver = actors.operators.add_resident("Somebody who leaves")
    actors.operators.ask("disable_login", {"username": leaver.username})


def _id_token(url: str, resident: Resident) -> str:
    with BillingClient(url) as client:
        return client.login(resident.username, resident.password).tokens.id_token


def _require_none(what: str, found: Sequence[str]) -> None:
    if found:
        raise DeployCheckError("\n  ".join([f"{what}:", *found]))
