"""What the log says of work in the background that could not be done, and is tried again soon."""

import logging

from control_plane.apiserver.etcd.errors import StoreError


def say_waiting(logger: logging.Logger, what: str, error: Exception) -> None:
    """Say that `what` wait; a missing store is its caches' to report, the rest is a warning."""
    level = logging.INFO if isinstance(error, StoreError) else logging.WARNING
    logger.log(level, "%s: %s", what, error)
