"""Finds what is still there after everything was destroyed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tools.deploy_check.cloud import Cloud

# Service, paginated operation, key of the list, and the field that names one; None for plain names.
_LISTS: Sequence[tuple[str, str, str, str | None]] = (
    ("sqs", "list_queues", "QueueUrls", None),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "EventSourceArn"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("secretsmanager", "list_secrets", "SecretList", "Name"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("events", "list_rules", "Rules", "Name"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("kms", "list_aliases", "Aliases", "AliasName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    ("rds", "describe_db_proxies", "DBProxies", "DBProxyName"),
    ("rds", "describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
    ("rds", "describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName"),
    ("elasticache", "describe_replication_groups", "ReplicationGroups", "ReplicationGroupId"),
    ("elasticache", "describe_users", "Users", "UserId"),
    ("elasticache", "describe_user_groups", "UserGroups", "UserGroupId"),
    ("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups", "CacheSubnetGroupName"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupName"),
    ("apigateway", "get_rest_apis", "items", "name"),
    ("apigateway", "get_usage_plans", "items", "name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
)


def orphaned_resources(cloud: Cloud) -> list[str]:
    """Return what of the deployment the emulators still have, as `service: name`."""
    found = (*_named(cloud), *_others(cloud))
    return sorted(f"{service}: {name}" for service, name in found if cloud.prefix in name)


def _named(cloud: Cloud) -> Iterator[tuple[str, str]]:
    for service, operation, key, field in _LISTS:
        client = cloud.client(service)
        for page in _pages(client, operation):
            for one in page.get(key) or ():
                yield service, str(one if field is None else one[field])


def _pages(client: Any, operation: str) -> Iterator[Any]:
    if client.can_paginate(operation):
        yield from client.get_paginator(operation).paginate()
    else:
        yield getattr(client, operation)()


def _others(cloud: Cloud) -> Iterator[tuple[str, str]]:
    """List what has no name of ours, or takes an argument to be listed."""
    for pool in cloud.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]:
        yield "cognito-idp", pool["Name"]
    for firewall in cloud.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]:
        yield "wafv2", firewall["Name"]
    ec2 = cloud.client("ec2")
    made = {
        "vpc": ec2.describe_vpcs()["Vpcs"],
        "subnet": ec2.describe_subnets()["Subnets"],
        "endpoint": ec2.describe_vpc_endpoints()["VpcEndpoints"],
    }
    for kind, items in made.items():
        for item in items:
            tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags", ())}
            yield f"ec2 {kind}", tags.get("deployment", "")
