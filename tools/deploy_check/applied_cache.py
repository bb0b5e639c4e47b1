"""Gives the server that stands in for ElastiCache the users that were applied."""

from __future__ import annotations

from typing import Any

import redis

from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import DeployCheckError


class AppliedCache:
    """The Redis-protocol server where ElastiCache resolves to."""

    def __init__(self, cloud: Cloud) -> None:
        self._elasticache = cloud.client("elasticache")
        self._server: Any = redis.Redis.from_url(cloud.environment.redis_url)

    def create_users(self, prefix: str) -> list[str]:
        """Give the server the applied users with what they may do; returns their names.

        Tokens of IAM are checked by ElastiCache alone, so here any password does.
        """
        users = [
            user
            for user in self._elasticache.describe_users()["Users"]
            if user["UserId"].startswith(prefix) and user["UserName"] != "default"
        ]
        for user in users:
            rules = user["AccessString"].split()
            self._server.execute_command(
                "ACL", "SETUSER", user["UserName"], "reset", *rules, "nopass"
            )
        return [user["UserName"] for user in users]

    def require_use(self) -> int:
        """Return how many results it holds.

        Raises:
            DeployCheckError: it holds none.
        """
        count = int(self._server.dbsize())
        if not count:
            raise DeployCheckError("No function has stored a result in the cache.")
        return count
