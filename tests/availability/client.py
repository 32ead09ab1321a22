"""A client that tries nothing twice, so that it knows what became of each request.

Every few requests it opens a new connection, which the balancer takes to the next server.
"""

import ssl
from collections.abc import AsyncIterator
from typing import Any, Self

import aiohttp
import orjson

REQUESTS_PER_CONNECTION = 8
SECONDS = 70.0
LINE_BYTES = 2**20

Object = dict[str, Any]
# What may happen to a request whose server dies.
BROKEN = (aiohttp.ClientError, OSError, TimeoutError)
MERGE_PATCH = "application/merge-patch+json"


class Client:
    """Speaks to `url`; open with `async with`."""

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        self._url, self._tls = url, tls
        self._session: aiohttp.ClientSession | None = None
        self._left = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def call(self, method: str, path: str, body: Object | None = None) -> tuple[int, Object]:
        """The status code and body of an answer; raises one of BROKEN when there is none."""
        session = await self._next_session()
        kind = MERGE_PATCH if method == "PATCH" else "application/json"
        data = None if body is None else orjson.dumps(body)
        try:
            async with session.request(
                method, self._url + path, data=data, headers={"Content-Type": kind}
            ) as response:
                answer: Object = orjson.loads(await response.read())
                return response.status, answer
        except BROKEN:
            await self._close()
            raise

    async def watch(self, path: str) -> AsyncIterator[Object]:
        """The events of a watch on a connection of its own, until it ends or breaks."""
        async with self._new_session() as session, session.get(self._url + path) as response:
            if response.status != 200:
                yield {"type": "ERROR", "object": orjson.loads(await response.read())}
                return
            async for line in response.content:
                yield orjson.loads(line)

    async def _next_session(self) -> aiohttp.ClientSession:
        if self._left <= 0:
            await self._close()
            self._left = REQUESTS_PER_CONNECTION
        if self._session is None:
            self._session = self._new_session()
        self._left -= 1
        return self._session

    def _new_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls or True, limit=1),
            timeout=aiohttp.ClientTimeout(total=SECONDS),
            read_bufsize=LINE_BYTES,
        )

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()
