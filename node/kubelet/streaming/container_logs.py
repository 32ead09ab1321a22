"""GET /containerLogs/{namespace}/{pod}/{container}: a container's log as chunked plain text."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiohttp import web

from node.kubelet.pod_spec import find_container
from node.kubelet.runtimes.base import RuntimeFailure
from node.kubelet.streaming.context import KUBELET, RUNTIME, text_error
from node.kubelet.streaming.log_options import (
    LogOptions,
    LogRefusal,
    log_container_id,
    parse_options,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing


async def container_logs(request: web.Request) -> web.StreamResponse:
    """Stream the log; with follow until the container ends or the client goes away."""
    namespace, pod_name = request.match_info["namespace"], request.match_info["pod"]
    name = request.match_info["container"]
    pod = request.app[KUBELET].find(namespace, pod_name)
    if pod is None:
        return text_error(404, f'pod "{pod_name}" does not exist\n')
    if find_container(pod, name) is None:
        return text_error(404, f'container "{name}" not found in pod "{pod_name}"\n')
    try:
        options = parse_options(request.query, time.time())
        container_id = log_container_id(pod, name, previous=options.previous)
    except LogRefusal as error:
        return text_error(error.code, str(error))
    async with aclosing(request.app[RUNTIME].logs(container_id, options.query)) as chunks:
        return await _answer(request, chunks, options)


async def _answer(
    request: web.Request, chunks: AsyncGenerator[bytes, None], options: LogOptions
) -> web.StreamResponse:
    """Send the log; a runtime that fails before the first byte makes an error, not an empty log."""
    try:
        first = b"" if options.query.follow else await anext(chunks, None)
    except RuntimeFailure as error:
        return text_error(500, str(error))
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    if first is not None:
        await _send(response, first, chunks, options.limit_bytes)
    await response.write_eof()
    return response


async def _send(
    response: web.StreamResponse, first: bytes, rest: AsyncIterator[bytes], limit: int | None
) -> None:
    """Write what was read already and what follows, cut after `limit` bytes."""
    left = limit
    chunk: bytes | None = first
    while chunk is not None:
        piece = chunk if left is None else chunk[:left]
        if piece:
            await response.write(piece)
        if left is not None:
            left -= len(piece)
            if left <= 0:
                return
        chunk = await _next(rest)


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    """Return the next chunk; a log that breaks off after its start can only end early."""
    try:
        return await anext(chunks, None)
    except RuntimeFailure:
        return None
