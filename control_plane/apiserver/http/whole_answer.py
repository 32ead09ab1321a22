"""Sends an answer that is complete at once: one write of head and body, past ASGI's messages.

Most answers are a small document. As two messages they are checked header by header, and become two
TLS records; of a GET that is a sixth. The state of uvicorn's cycle is left as its own `send` would.
"""

import functools
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

MAX_JOINED_BYTES = 64 * 1024  # beyond it a copy costs more than a second write

Header = tuple[bytes, bytes]


def head_lines(status: int, headers: tuple[Header, ...]) -> bytes:
    """The status line and headers; these must be the server's own words, for nothing is checked."""
    return b"".join((STATUS_LINE[status], _lines(headers)))


def _lines(headers: tuple[Header, ...]) -> bytes:
    return b"".join([b"%s: %s\r\n" % header for header in headers])


_default_lines = functools.lru_cache(maxsize=1)(_lines)  # uvicorn's, which change each second


async def send_whole(cycle: Any, head: bytes, body: bytes) -> None:
    """Answer the request of `cycle` (uvicorn's) with `head`, as `head_lines` makes it, and `body`.

    Waits while the client does not read; returns without a word when it has gone.
    """
    if cycle.flow.write_paused and not cycle.disconnected:
        await cycle.flow.drain()
    if cycle.disconnected:
        return
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    _write(cycle, head, body)
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()


def _write(cycle: Any, head: bytes, body: bytes) -> None:
    end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
    length = b"content-length: %d\r\n" % len(body)
    lines = (head, _default_lines(tuple(cycle.default_headers)), length, end)
    if cycle.scope["method"] == "HEAD":
        body = b""
    if len(body) <= MAX_JOINED_BYTES:
        cycle.transport.write(b"".join((*lines, body)))
    else:
        cycle.transport.write(b"".join(lines))
        cycle.transport.write(body)
