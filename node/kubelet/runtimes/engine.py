"""The link to a Docker Engine: one aiodocker client, one error mapping, and the calls aiodocker
has no bytes for.

aiodocker speaks for containers, images and networks. Logs, events and image import use the same
HTTP session directly (aiodocker decodes logs to text), and exec and attach use a raw connection
(`hijack.py`) because standard input must be closed on its own. Only runtimes/docker.py calls this.

Bound: at most 512 connections to the engine; streams (log -f, events) hold one each, other calls
wait for a free one.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiodocker
import aiohttp
import orjson

from node.kubelet.runtimes.base import RuntimeFailure, RuntimeNotFound, RuntimeUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

CALL_SECONDS = 120.0
_CONNECTIONS = 512
_NOT_CONNECTED = 900  # aiodocker's own status for "no engine there"


class Engine:
    """One engine at `unix:///path` or `tcp://host:port`."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._docker: aiodocker.Docker | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def docker(self) -> aiodocker.Docker:
        """The aiodocker client; open() must have been called."""
        if self._docker is None:
            raise RuntimeUnavailable(f"not connected to {self.endpoint}")
        return self._docker

    async def open(self) -> dict[str, Any]:
        """Connect and return the engine's version document; RuntimeUnavailable when nothing
        answers.
        """
        connector = self._connector()
        self._session = aiohttp.ClientSession(connector=connector)
        self._docker = aiodocker.Docker(
            url=self.endpoint, connector=connector, session=self._session
        )
        # aiodocker derives the host part only for connectors of its own.
        self._docker.docker_host = self._base_url()
        try:
            return await self.version()
        except RuntimeFailure:
            await self.close()
            raise

    async def close(self) -> None:
        """Drop all connections."""
        if self._docker is not None:
            await self._docker.close()
            self._docker = None
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def version(self) -> dict[str, Any]:
        """Return the engine's version document."""
        async with engine_errors(10):
            return await self.docker.version()

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send one request, with bytes or JSON; yield its checked response, body unread."""
        if self._session is None:
            raise RuntimeUnavailable(f"not connected to {self.endpoint}")
        url = f"{self._base_url()}/{self.docker.api_version}/{path}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        async with self._session.request(
            method, url, params=params, data=data, json=document, timeout=timeout
        ) as response:
            if response.status >= 400:
                message = _error_text(await response.read())
                raise aiodocker.DockerError(response.status, message)
            yield response

    def _connector(self) -> aiohttp.BaseConnector:
        if self.endpoint.startswith("unix://"):
            return aiohttp.UnixConnector(self.endpoint.removeprefix("unix://"), limit=_CONNECTIONS)
        return aiohttp.TCPConnector(limit=_CONNECTIONS)

    def _base_url(self) -> str:
        if self.endpoint.startswith("unix://"):
            return "http://docker"
        return self.endpoint.replace("tcp://", "http://", 1)


@asynccontextmanager
async def engine_errors(seconds: float | None = CALL_SECONDS) -> AsyncIterator[None]:
    """Turn what aiodocker and the network raise into RuntimeFailures; give up after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except aiodocker.DockerError as error:
        raise _failure(error) from error
    except TimeoutError as error:
        limit = "" if seconds is None else f" within {seconds:g} s"
        raise RuntimeFailure(
            f"the container engine did not answer{limit}: see its log, or restart it"
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        raise RuntimeUnavailable(f"the container engine does not answer: {error}") from error


def _failure(error: aiodocker.DockerError) -> RuntimeFailure:
    if error.status == 404:
        return RuntimeNotFound(error.message)
    if error.status == _NOT_CONNECTED:
        return RuntimeUnavailable(error.message)
    return RuntimeFailure(error.message)


def _error_text(body: bytes) -> str:
    try:
        return str(orjson.loads(body)["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return body.decode(errors="replace").strip()
