"""AWS: clients with decided limits, the bucket, keys, ids and secrets."""

from .clients import call, client, config, together

__all__ = ["call", "client", "config", "together"]
