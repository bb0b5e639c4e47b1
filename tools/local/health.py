"""Whether everything is ready: what `GET /health` answers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from tools.local.clients import Clients
from tools.local.cloud import Cloud, read_cloud
from tools.local.errors import LocalStackError
from tools.local.files import is_ready
from tools.local.postgres import postgres_answers
from tools.local.provision import request_queue_name
from tools.local.redis import redis_answers
from tools.local.service import service
from tools.local.state import StateFolder


def check_health(state: Path) -> dict[str, bool]:
    """Ask each part of the local stack whose state is in this folder whether it is ready.

    Returns:
        `database`, `redis`, `aws`, `workers` and `start`, which is the first start's own work:
        migrations and demo data. Before a first start there is `start` alone.
    """
    try:
        cloud = read_cloud(state)
    except LocalStackError:
        return {"start": False}
    folder = StateFolder(state)
    return {
        "database": postgres_answers(cloud.database_url),
        "redis": redis_answers(cloud.redis_url),
        "aws": _aws_answers(cloud),
        "workers": all(is_ready(folder.run / f"{name}.json") for name in cloud.workers),
        "start": is_ready(folder.ready_file),
    }


@lru_cache
def _clients(endpoint_url: str, region: str) -> Clients:
    return Clients(endpoint_url=endpoint_url, region=region)


def _aws_answers(cloud: Cloud) -> bool:
    clients = _clients(cloud.aws_endpoint_url, cloud.region)
    try:
        for function in service().queues:
            clients.sqs.get_queue_url(QueueName=request_queue_name(cloud.prefix, function))
        clients.cognito.describe_user_pool(UserPoolId=cloud.user_pool_id)
    except (BotoCoreError, ClientError):
        return False
    return True
