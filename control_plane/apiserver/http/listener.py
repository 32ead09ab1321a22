"""The listening socket and uvicorn on it, run inside the component's own task.

uvicorn's own runner installs signal handlers and exits the process when a port is taken; here a
taken port is a StartError, and the end is a cancellation.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn

from control_plane.apiserver.config import StartError
from control_plane.apiserver.http.protocols import HttpProtocol, WebSocketProtocol

DRAIN_SECONDS = 5
KEEP_ALIVE_SECONDS = 180
PROBE_SECONDS = 15
PROBES = 9
MAX_FRAME_BYTES = 16 * 1024 * 1024

logger = logging.getLogger(__name__)


def bind(address: str, port: int) -> socket.socket:
    """A listening socket; raises StartError when the port cannot be had."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts: an answer's head and
    # body are two writes, which would else be 40 ms apart.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _probe_silent_peers(listening)
        listening.bind((address, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise StartError(
            f"cannot listen on {address}:{port}: {error.strerror}: "
            "stop the process that uses it or choose another --secure-port"
        ) from error
    listening.setblocking(False)
    return listening


def _probe_silent_peers(listening: socket.socket) -> None:
    """Notice clients that vanish without a word; what is accepted inherits it.

    A stream or watch may be silent for hours, and holds much. The figures are those of Go.
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_KEEPIDLE, PROBE_SECONDS),
        (socket.TCP_KEEPINTVL, PROBE_SECONDS),
        (socket.TCP_KEEPCNT, PROBES),
    ):
        listening.setsockopt(socket.IPPROTO_TCP, option, value)


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: the component is stopped by cancellation."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process's owner."""
        yield


@contextlib.asynccontextmanager
async def serving(
    app: Any, listening: socket.socket, tls: ssl.SSLContext, before_drain: Callable[[], None]
) -> AsyncIterator[None]:
    """Serve `app` for the duration of the block; at its end drain open requests.

    `before_drain` ends what would otherwise stay open, such as watches.
    """
    server = _Server(_config(app, tls))
    task = asyncio.create_task(server.serve(sockets=[listening]), name="apiserver listener")
    try:
        yield
    finally:
        server.should_exit = True
        before_drain()
        await asyncio.shield(task)
        listening.close()


def _config(app: Any, tls: ssl.SSLContext) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        interface="asgi3",  # which uvicorn would take for older if it is no coroutine function
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    config.load()
    config.ssl = tls
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return config
