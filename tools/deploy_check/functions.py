"""The deployed functions, and the operators who invoke them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from billing_app.admin.operations import function_event
from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import DeployCheckError
from tools.local.lambda_events import scheduled_event
from tools.operator_client import OperatorClient

_FREE_SECONDS = 60.0


class Functions:
    """Invokes the functions by their names in app.py; `operator` does so for operations."""

    def __init__(self, cloud: Cloud) -> None:
        self._lambda = cloud.client("lambda")
        self._region, self._names = cloud.region, cloud.outputs["function_names"]
        self.operator = OperatorClient(lambda *asked: self.invoke(*function_event(*asked)))

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function and return its answer.

        Raises:
            DeployCheckError: the function failed.
        """
        ran = self._invoke(FunctionName=self._names[function], Payload=json.dumps(event).encode())
        answer = json.loads(ran["Payload"].read())
        if ran.get("FunctionError"):
            raise DeployCheckError(f"{function} failed: {answer}")
        return answer

    def _invoke(self, **named: Any) -> Any:
        """Invoke when a copy is free: schedules use functions, too, of which one copy may run."""
        deadline = time.monotonic() + _FREE_SECONDS
        while True:
            try:
                return self._lambda.invoke(**named)
            except self._lambda.exceptions.TooManyRequestsException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def sweep(self) -> Any:
        """Run the sweeper as its schedule does, and return its report."""
        event = scheduled_event(rule=self._names["sweep"], region=self._region)
        return self.invoke("sweep", event)

    def restart(self, function: str) -> None:
        """Have the function start cold, since a warm one remembers its secrets."""
        name = self._names[function]
        timeout = self._lambda.get_function_configuration(FunctionName=name)["Timeout"]
        # Any change of the configuration ends the warm copies, also one that changes nothing.
        self._lambda.update_function_configuration(FunctionName=name, Timeout=timeout)
        self._lambda.get_waiter("function_updated_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 1}
        )
