"""File descriptors of the process: as many as the system allows, as Go's runtime has it."""

from __future__ import annotations

import logging
import resource
from contextlib import suppress

log = logging.getLogger(__name__)


def allow_many() -> None:
    """Raise the soft limit to the hard one; the usual soft one is 1,024 connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):  # a hard limit above the system's own
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    log.debug("file descriptors allowed=%d", resource.getrlimit(resource.RLIMIT_NOFILE)[0])
