"""Runs ministack and logs which role was allowed or rejected what: `python emulator.py`.

It runs in the emulator's own environment, where nothing of this project can be imported. Besides
the log of decisions (a JSON object per line in DECISIONS_LOG) it patches what ministack 1.5.33
does unlike AWS and the check depends on.
"""

from __future__ import annotations

import contextvars
import importlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

# SQS makes no queue of a deleted one's name for so long.
_DELETED_SECONDS = 60
_last: contextvars.ContextVar[Any] = contextvars.ContextVar("last decision", default=None)
_lock = threading.Lock()


def role_of(principal_arn: str) -> str:
    """Return the role's ARN for that of its session; others stay as they are.

    `aws:PrincipalArn` of a session is its role's ARN:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    head, separator, session = principal_arn.partition(":assumed-role/")
    if not separator:
        return principal_arn
    return f"{head.replace(':sts:', ':iam:')}:role/{session.partition('/')[0]}"


def log_decisions(evaluator: Any, path: str) -> None:
    """Have each decision about a role appended to the file."""
    evaluate, enforce = evaluator.evaluate, evaluator.enforce

    def evaluate_and_keep(context: Any, *policies: Any) -> Any:
        _last.set(context)
        return evaluate(context, *policies)

    def enforce_and_log(*arguments: Any, **named: Any) -> Any:
        _last.set(None)
        rejection = enforce(*arguments, **named)
        context = _last.get()
        if context is not None:
            _append(path, context, allowed=rejection is None)
        return rejection

    evaluator.evaluate, evaluator.enforce = evaluate_and_keep, enforce_and_log


def _append(path: str, context: Any, *, allowed: bool) -> None:
    decision = {
        "role": role_of(context.principal_arn).rpartition("/")[2],
        "action": context.action,
        "resource": context.resource_arn,
        "allowed": allowed,
    }
    with _lock, Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(decision) + "\n")


def patch_principal(evaluator: Any) -> None:
    """Compare `aws:PrincipalArn` as AWS does: a session counts as its role."""
    resolve = evaluator._resolve_condition_key

    def resolve_like_aws(key: str, context: Any) -> Any:
        found = resolve(key, context)
        return role_of(found) if key.lower() == "aws:principalarn" else found

    evaluator._resolve_condition_key = resolve_like_aws


def keep_names_back(queues: Any) -> None:
    """Create no queue whose name was deleted a moment ago, as SQS doesn't."""
    deleted_at: dict[str, float] = {}
    handlers = queues._HANDLERS
    create, delete = handlers["CreateQueue"], handlers["DeleteQueue"]

    def create_unless_deleted(data: Any, url: str) -> Any:
        if (
            time.monotonic()
            < deleted_at.get(data.get("QueueName"), -_DELETED_SECONDS) + _DELETED_SECONDS
        ):
            raise queues._Err("QueueDeletedRecently", "You must wait 60 seconds.")
        return create(data, url)

    def delete_and_note(data: Any, url: str) -> Any:
        answer = delete(data, url)
        deleted_at[url.rpartition("/")[2]] = time.monotonic()
        return answer

    handlers.update(CreateQueue=create_unless_deleted, DeleteQueue=delete_and_note)


def resolve_proxies(databases: Any) -> None:
    """Have a proxy's endpoint resolve to where that of its instance does."""
    describe = databases._db_proxy_xml
    host = os.environ["MINISTACK_HOST"]
    databases._db_proxy_xml = lambda proxy: describe({**proxy, "Endpoint": host})


def main() -> None:
    """Patch the emulator and serve until the process is ended."""
    evaluator = importlib.import_module("ministack.core.iam_evaluator")
    patch_principal(evaluator)
    log_decisions(evaluator, os.environ["DECISIONS_LOG"])
    resolve_proxies(importlib.import_module("ministack.services.rds"))
    keep_names_back(importlib.import_module("ministack.services.sqs"))
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
