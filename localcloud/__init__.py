"""The same service on one machine: embedded servers, workers, the gateway and demo data."""

from localcloud.cloud import environment, read_cloud
from localcloud.errors import LocalCloudError

__all__ = ["LocalCloudError", "environment", "read_cloud"]
