"""One rehearsal from the first to the last."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing_client import BillingClient

from tools.deploy_check import deployment
from tools.deploy_check.applied_cache import AppliedCache
from tools.deploy_check.cloud import Cloud
from tools.deploy_check.contract import applied_document
from tools.deploy_check.errors import RehearsalError
from tools.deploy_check.gateway import serving
from tools.deploy_check.journey import Outcome, travel
from tools.deploy_check.least import Actors, Finding, Trial
from tools.deploy_check.leftovers import leftovers
from tools.deploy_check.operator_client import OperatorLedger
from tools.deploy_check.poison import try_poison
from tools.deploy_check.privileges import Decisions, Permission, Roles, left_over
from tools.deploy_check.reply_queues import ReplyQueues
from tools.deploy_check.requests import Requests
from tools.deploy_check.show import Show
from tools.deploy_check.stage import Stage
from tools.deploy_check.terraform import Terraform, program
from tools.deploy_check.trespass import Trespass

# Where a rejection is no reason to stop: the cache and the look for orphans can wait.
_MAY_GO_ON = {("sweep", "sqs:ListQueues"), ("utils", "cache"), ("histories", "cache")}
SHORT = ("gateway", "payments")


@dataclass(frozen=True)
class Wishes:
    """What is asked of a rehearsal: what is deployed, and whose permissions are all tried."""

    plan: deployment.Plan
    roles: Sequence[str] | None = None


class Rehearsal:
    """Applies, drives and destroys a deployment on a stage that stands."""

    def __init__(self, stage: Stage, wishes: Wishes, show: Show) -> None:
        self._stage = stage
        self._wishes = wishes
        self._show = show
        self._folder = stage.folder / "terraform"

    def run(self) -> None:
        """Do all of it. Raises RehearsalError at the first thing that is not as it should be."""
        terraform = self._prepare()
        with self._show.step("Applying everything"):
            terraform.apply()
        with self._show.step("Planning again, which must find nothing to do"):
            _require_none("A second plan is not empty", terraform.changes())
        self._drive(terraform.outputs())
        with self._show.step("Destroying everything"):
            terraform.destroy()
        with self._show.step("Looking for what is left"):
            left = leftovers(self._cloud, self._prefix)
            _require_none("Not everything is gone", left)

    def _prepare(self) -> Terraform:
        with self._show.step("Packaging the functions and preparing Terraform"):
            deployment.prepare(self._folder, plan=self._wishes.plan, stage=self._stage)
            terraform = Terraform(
                self._folder,
                log=self._stage.logs / "terraform.log",
                environment=self._stage.credentials,
                variables=self._wishes.plan.variables,
                say=self._show.update,
            )
            # The package has Terraform's description of the functions with it.
            deployment.package(self._folder)
            terraform.init()
        return terraform

    def _drive(self, outputs: dict[str, Any]) -> None:
        # The provider's region is the operator's variable; every ARN tells it.
        self._cloud = Cloud(self._stage, region=outputs["alarm_topic_arn"].split(":")[3])
        self._prefix = outputs["gateway_role_arn"].rpartition("/")[2].removesuffix("-gateway")
        ledger = OperatorLedger(self._cloud, outputs["function_names"])
        cache = AppliedCache(self._cloud)
        self._show.note(f"users of the cache: {', '.join(cache.let_users_in(self._prefix))}")
        document = applied_document(
            self._cloud.client("apigateway"),
            rest_api_id=outputs["rest_api_id"],
            stage_name=outputs["stage_name"],
        )
        with serving(
            self._cloud,
            document=document,
            role_arn=outputs["gateway_role_arn"],
            stage_name=outputs["stage_name"],
        ) as url:
            self._drive_at(url, outputs, ledger, cache)

    def _drive_at(
        self, url: str, outputs: dict[str, Any], ledger: OperatorLedger, cache: AppliedCache
    ) -> None:
        with self._show.step("A resident's journey through the deployed service"):
            outcome = travel(url, ledger, self._show.note)
        self._show.note(f"the cache holds {cache.require_use()} results")
        with self._show.step("A poison message, up to the dead-letter queue"):
            received = try_poison(self._cloud, outputs)
        self._show.note(f"received {received} times, then put aside")
        replies = ReplyQueues(self._cloud, prefix=self._prefix)
        actors = self._actors(url, outputs, ledger, replies, outcome)
        self._try_permissions(actors, outputs)
        with self._show.step("Acting as each function and trying what is another's"):
            trespass = Trespass(
                cloud=self._cloud,
                prefix=self._prefix,
                role_arns=outputs["function_role_arns"],
                function_names=outputs["function_names"],
            )
            tried = trespass.try_all()
        self._show.note(f"{tried} queues and secrets were rejected")
        with self._show.step("The sweeper, on all reply queues that were made"):
            swept = replies.sweep(ledger)
        self._show.note(f"{swept} reply queues swept away")

    def _actors(
        self,
        url: str,
        outputs: dict[str, Any],
        ledger: OperatorLedger,
        replies: ReplyQueues,
        outcome: Outcome,
    ) -> Actors:
        resident = outcome.resident
        with BillingClient(url) as client:
            token = client.login(resident.username, resident.password).tokens.id_token
        return Actors(
            cloud=self._cloud,
            ledger=ledger,
            requests=Requests(self._cloud, ledger, prefix=self._prefix, resident=resident),
            replies=replies,
            resident=resident,
            url=url,
            id_token=token,
            function_names=outputs["function_names"],
        )

    def _try_permissions(self, actors: Actors, outputs: dict[str, Any]) -> None:
        roles, decisions = Roles(self._cloud.client("iam")), Decisions(self._stage.decisions)
        arns = {**outputs["function_role_arns"], "gateway": outputs["gateway_role_arn"]}
        names = {arn.rpartition("/")[2]: name for name, arn in arns.items()}
        with self._show.step("Looking for permissions that nobody used"):
            self._use_the_rest(actors)
            held = [one for role in names for one in roles.permissions(role)]
            unused = left_over(held, decisions.since())
            _require_none("Permissions are left over", [_line(one) for one in unused])
        self._tell_unseen(held)
        tried = [one for one in held if one.reason_unseen is None and self._is_tried(names, one)]
        with self._show.step(f"Taking away {len(tried)} permissions in turn"):
            trial = Trial(
                roles=roles,
                decisions=decisions,
                exercise=lambda permission: actors.exercise(names[permission.role]),
                say=self._show.update,
            )
            findings = trial.findings(tried, alone=f"{self._prefix}-sweep")
        self._judge(findings, names)

    def _use_the_rest(self, actors: Actors) -> None:
        """Call what the journey had no reason to call."""
        actors.ledger.take_leave(actors.resident)
        actors.replies.make_some(actors.requests, actors.resident)
        actors.ledger.sweep()
        leaver = actors.ledger.add_resident("Somebody who leaves")
        actors.ledger.ask("disable_login", {"username": leaver.username})

    def _tell_unseen(self, held: Sequence[Permission]) -> None:
        actions: dict[str, set[str]] = {}
        for one in held:
            if one.reason_unseen is not None:
                actions.setdefault(one.reason_unseen, set()).add(one.action)
        rows = [(", ".join(sorted(names)), why) for why, names in sorted(actions.items())]
        title = "Permissions that AWS uses by itself, unseen by emulators"
        self._show.table(title, ("Action", "What for"), rows)

    def _is_tried(self, names: dict[str, str], permission: Permission) -> bool:
        wanted = self._wishes.roles
        return wanted is None or names[permission.role] in wanted

    def _judge(self, findings: Sequence[Finding], names: dict[str, str]) -> None:
        rows = [
            (names[one.permission.role], one.permission.action, _short(one.permission), one.verdict)
            for one in findings
        ]
        self._show.table("Permissions taken away", ("Role", "Action", "On", "Without it"), rows)
        wrong = [one for one in findings if not one.rejected or _went_on_wrongly(one, names)]
        _require_none("Permissions are not needed", [_line(one.permission) for one in wrong])


def _went_on_wrongly(finding: Finding, names: dict[str, str]) -> bool:
    permission = finding.permission
    what = (
        "cache" if permission.resource.rpartition("-")[0].endswith("/cache") else permission.action
    )
    return finding.went_on and (names[permission.role], what) not in _MAY_GO_ON


def _line(permission: Permission) -> str:
    return f"{permission.role}: {permission.action} on {permission.resource}"


def _short(permission: Permission) -> str:
    return permission.resource.rpartition(":")[2]


def _require_none(what: str, found: Sequence[str]) -> None:
    if found:
        lines = "\n".join(f"  {line}" for line in found)
        raise RehearsalError(f"{what}:\n{lines}")


def rehearse(folder: Path, wishes: Wishes, show: Show, *, emulator: Path) -> None:
    """Rehearse in an empty folder, whose `logs` stay. Raises RehearsalError or NotPrepared."""
    # Before half a minute of starting things.
    program()
    with ExitStack() as ends:
        with show.step("Starting emulators, Postgres and the cache"):
            stage = ends.enter_context(Stage(folder, emulator=emulator))
        Rehearsal(stage, wishes, show).run()
