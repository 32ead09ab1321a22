"""The audit webhook: batches of events as an EventList, to the server that a kubeconfig names.

A batch is sent again after answers of 429 and 5xx and when there is none, ATTEMPTS times, each
wait longer than the last; then it is lost.
"""

import asyncio
from collections.abc import Sequence

import aiohttp
import orjson

from control_plane.api.objects import Object
from control_plane.apiserver.audit.auditor import BackendError
from control_plane.client.config import ClientConfig

ATTEMPTS = 5
BACKOFF_FACTOR = 1.5
SECONDS = 30
RETRIED = frozenset({429, 500, 502, 503, 504})


class Webhook:
    """Sends batches to one server."""

    def __init__(self, config: ClientConfig, initial_backoff_seconds: float) -> None:
        """Use the server and the credentials of `config`."""
        self._config = config
        self._backoff = initial_backoff_seconds
        self._tls = config.ssl_context()
        self._session: aiohttp.ClientSession | None = None

    async def deliver(self, events: Sequence[Object]) -> None:
        """Send a batch; raises BackendError when it was not taken."""
        document = {
            "kind": "EventList",
            "apiVersion": "audit.k8s.io/v1",
            "metadata": {},
            "items": list(events),
        }
        body, wait, why = orjson.dumps(document), self._backoff, ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(wait)
                wait *= BACKOFF_FACTOR
            why = await self._send(body)
            if not why:
                return
        raise BackendError(f"{self._config.server}: {why}", "webhook")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _send(self, body: bytes) -> str:
        """Send it once; return why it is worth another attempt, "" when it was taken."""
        headers = {"content-type": "application/json"}
        if self._config.token:
            headers["authorization"] = f"Bearer {self._config.token}"
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS))
        try:
            async with self._session.post(
                self._config.server, data=body, headers=headers, ssl=self._tls or True,
                server_hostname=self._config.tls_server_name or None,
            ) as answer:  # fmt: skip
                if answer.status in RETRIED:
                    return f"it answered {answer.status}"
                if answer.status >= 300:
                    text = f"{self._config.server}: it answered {answer.status}"
                    raise BackendError(text, "webhook")
                return ""
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return str(error) or type(error).__name__
