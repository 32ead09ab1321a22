"""Waiting for an API server that is up and has made what every cluster has, its roles among it.

Called by components before their first request: earlier ones would be forbidden.
"""

import asyncio
import logging

from control_plane.api.errors import ApiError
from control_plane.client.client import ApiClient, ApiUnavailable

PAUSE_SECONDS = 0.25
TELL_AFTER = 40  # vain attempts

log = logging.getLogger(__name__)


async def wait_until_healthy(client: ApiClient) -> None:
    """Return once /healthz is well; tell of a long wait in the log."""
    attempts = 0
    while True:
        try:
            await client.request("GET", "/healthz")
        except (ApiError, ApiUnavailable) as error:
            attempts += 1
            level = logging.WARNING if attempts % TELL_AFTER == 0 else logging.DEBUG
            log.log(level, "waiting_for_apiserver error=%s", error)
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return
