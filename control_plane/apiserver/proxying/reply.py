"""The exchange with a backend: its answer is passed on as it comes, the request's body likewise.

Neither side is read faster than the other takes what it is sent. A client that leaves ends the
call; a backend that breaks off ends the client's connection, so that half an answer cannot be
taken for a whole one.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
from yarl import URL

from control_plane.api.errors import ApiError, ServiceUnavailable
from control_plane.apiserver.http.answer import Answer, Send, error_answer
from control_plane.apiserver.http.request import ClientGoneError, Request
from control_plane.apiserver.proxying.backend import Backend
from control_plane.apiserver.proxying.header_rules import (
    Header,
    answer_headers,
    first,
    request_headers,
    rewritten,
)
from control_plane.apiserver.proxying.page import page_rewriter
from control_plane.apiserver.proxying.relay import end

logger = logging.getLogger(__name__)

_OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True, slots=True)
class ProxyReply:
    """What `backend` answers at `path`; `prefix` is the path of the subresource itself."""

    backend: Backend
    prefix: str
    path: str
    session: aiohttp.ClientSession
    streams: set[asyncio.Task[None]]

    async def send_to(self, request: Request, send: Send) -> None:
        """Exchange until the answer is complete, the client has left or this server stops."""
        task = asyncio.create_task(self._exchange(request, send))

        def leave() -> None:
            task.cancel()

        self.streams.add(task)
        request.departure.add(leave)
        try:
            await asyncio.wait({task})
        finally:
            request.departure.discard(leave)
            self.streams.discard(task)
            await end(task)
        if task.cancelled():
            await _cut(request)

    async def _exchange(self, request: Request, send: Send) -> None:
        try:
            response = await self._call(request)
        except ApiError as error:
            await self._refusal(error, request).send_to(request, send)
            return
        try:
            await self._pass_on(response, request, send)
        except (aiohttp.ClientError, OSError) as error:
            logger.info("a backend broke off path=%s: %s", request.path, error)
            await _cut(request)
        finally:
            response.close()

    def _refusal(self, error: ApiError, request: Request) -> Answer:
        return error_answer(error, request)

    def _headers(self, request: Request) -> list[Header]:
        return request_headers(request.header_lines, request.client, request.raw_path)

    async def _call(self, request: Request) -> aiohttp.ClientResponse:
        query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
        headers = self._headers(request)
        try:
            return await self.session.request(
                request.method,
                URL(f"{self.backend.url}{self.path}{query}", encoded=True),
                headers=[(name.decode("latin-1"), _text(value)) for name, value in headers],
                skip_auto_headers=_OWN_HEADERS,
                data=_body(request) if _has_body(request) else None,
                allow_redirects=False,
                ssl=self.backend.tls,
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            text = f"error trying to reach service: {self._reason(error)}"
            raise ServiceUnavailable(text) from error

    def _reason(self, error: Exception) -> str:
        if isinstance(error, aiohttp.ClientConnectorError):
            number = error.os_error.errno
            why = os.strerror(number).lower() if number else str(error.os_error)
            return f"dial tcp {self.backend.authority}: connect: {why}"
        return str(error) or type(error).__name__

    async def _pass_on(
        self, response: aiohttp.ClientResponse, request: Request, send: Send
    ) -> None:
        headers = answer_headers(response.raw_headers)
        page = None
        if first(headers, b"location"):
            headers = [self._located(line, request) for line in headers]
        else:
            page = page_rewriter(headers, lambda url: self._link(url, request))
        if page is not None:
            headers = [line for line in headers if line[0] != b"content-length"]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        async for chunk in response.content.iter_any():
            body = chunk if page is None else page.feed(chunk)
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})
        rest = b"" if page is None else page.end()
        await send({"type": "http.response.body", "body": rest})

    def _located(self, line: Header, request: Request) -> Header:
        name, value = line
        if name != b"location":
            return line
        return name, self._link(value.decode("latin-1"), request).encode("latin-1")

    def _link(self, url: str, request: Request) -> str:
        hosts = (self.backend.authority, self.backend.host, request.header(b"host"))
        return rewritten(url, self.prefix, hosts)


async def _cut(request: Request) -> None:
    """End the client's connection, so that it does not take a part for the whole."""
    if request.connection is not None and not request.connection.transport.is_closing():
        request.connection.abort()
        await asyncio.sleep(0)  # the server learns of it in the next turn of the loop


def _has_body(request: Request) -> bool:
    length = request.header(b"content-length")
    return length not in ("", "0") or request.header(b"transfer-encoding") != ""


async def _body(request: Request) -> AsyncIterator[bytes]:
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body", False):
            return


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
