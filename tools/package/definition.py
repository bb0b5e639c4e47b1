"""Makes Chalice's Terraform fit: current versions, and sizes, roles and places by expressions.

What only Chalice knows stays as it wrote it: which functions there are, their handlers, runtime and
package, which queue feeds which and what runs on a schedule. The rest comes from `main.tf` of the
same module, to whose names the expressions below refer.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

MIGRATION = "migrate"
_INVOCATION = "aws_lambda_invocation.migrate"
# Without these a first apply may start a function before it may do or log anything.
_FUNCTION_NEEDS = ("aws_iam_role_policy.function", "aws_cloudwatch_log_group.function")
_KEPT = ("runtime", "handler", "architectures", "filename", "source_code_hash", "tracing_config")
# `terraform` pins versions of 2021; the provider `null` and the other data are for nothing.
_DROPPED = ("terraform", "data", "locals")


def fit(definition: Json) -> Json:
    """Return Chalice's definition as a part of the module `functions`."""
    resources = definition["resource"]
    fitted = {
        **resources,
        "aws_lambda_function": _each(_function, resources["aws_lambda_function"]),
        "aws_lambda_event_source_mapping": _each(
            _mapping, resources["aws_lambda_event_source_mapping"]
        ),
        "aws_cloudwatch_event_rule": _each(_rule, resources["aws_cloudwatch_event_rule"]),
    }
    kept = {key: value for key, value in definition.items() if key not in _DROPPED}
    return {**kept, "resource": fitted, "locals": _by_function(resources)}


def _by_function(resources: Json) -> Json:
    """Gather functions and mappings in maps by function, for `outputs.tf` and the tests."""
    functions = resources["aws_lambda_function"]
    mappings = resources["aws_lambda_event_source_mapping"]
    return {
        "deployed": {name: f"${{aws_lambda_function.{name}}}" for name in functions},
        "mappings": {
            _function_of(name): f"${{aws_lambda_event_source_mapping.{name}}}" for name in mappings
        },
    }


def _each(change: Any, resources: Json) -> Json:
    return {name: change(name, one) for name, one in sorted(resources.items())}


def _function(name: str, made: Json) -> Json:
    return {
        **{key: made[key] for key in _KEPT},
        "function_name": f"${{var.prefix}}-{name}",
        "description": _local("descriptions", name),
        "memory_size": _setting(name, "memory_mib"),
        "timeout": _setting(name, "timeout_seconds"),
        "reserved_concurrent_executions": _local("reserved_concurrency", name),
        "role": f'${{aws_iam_role.function["{name}"].arn}}',
        "environment": {"variables": _local("environments", name)},
        "logging_config": {
            "log_format": "Text",
            "log_group": f'${{aws_cloudwatch_log_group.function["{name}"].name}}',
        },
        "vpc_config": {
            "subnet_ids": "${var.subnet_ids}",
            "security_group_ids": ["${var.security_group_id}"],
        },
        "depends_on": _needs(name),
    }


def _needs(name: str) -> list[str]:
    """New code of a function waits until the new migration has run."""
    return [*_FUNCTION_NEEDS, *([] if name == MIGRATION else [_INVOCATION])]


def _mapping(name: str, made: Json) -> Json:
    function = _function_of(name)
    return {
        **made,
        "batch_size": _setting(function, "batch_size"),
        "function_response_types": ["ReportBatchItemFailures"],
        "scaling_config": {"maximum_concurrency": _setting(function, "concurrency")},
    }


def _function_of(mapping: str) -> str:
    return mapping.removesuffix("-sqs-event-source")


def _rule(name: str, made: Json) -> Json:
    function = name.removesuffix("-event")
    return {
        **made,
        "name": f"${{var.prefix}}-{function}",
        "description": f"Runs {function} of ${{var.prefix}}",
    }


def _setting(name: str, attribute: str) -> str:
    return f'${{local.functions["{name}"].{attribute}}}'


def _local(table: str, name: str) -> str:
    return f'${{local.{table}["{name}"]}}'
