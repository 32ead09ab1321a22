"""Asking a server to upgrade a connection, byte by byte: the answer's head is passed on as it is.

HTTP clients know WebSockets and nothing else; here the protocol is whatever the head says. The
heads are small: more than MAX_HEAD_BYTES is an error.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from control_plane.streams.wire import SocketWire

MAX_HEAD_BYTES = 65_536
CONNECT_SECONDS = 10.0
SWITCHING_PROTOCOLS = 101

Header = tuple[bytes, bytes]


class UpgradeError(Exception):
    """The server could not be reached, or does not speak HTTP."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect; `tls` None for plain TCP.

    Its certificate is for `server_name`, or for `host`.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    server_name: str = ""


@dataclass(frozen=True, slots=True)
class UpgradeAnswer:
    """What a server answered: the head as it came, and the connection behind it."""

    status: int
    head: bytes
    wire: SocketWire

    @property
    def is_upgraded(self) -> bool:
        """Whether the connection now speaks what was asked for."""
        return self.status == SWITCHING_PROTOCOLS

    def content_length(self) -> int | None:
        """How long the body is, if the head says so."""
        for line in self.head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length" and value.strip().isdigit():
                return int(value)
        return None


def request_head(method: str, target: str, headers: Sequence[Header]) -> bytes:
    """The head of a request; `target` is a path with its query, already escaped."""
    lines = [f"{method} {target} HTTP/1.1".encode("latin-1")]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def answer_head(status: int, reason: str, headers: Sequence[Header]) -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/1.1 {status} {reason}".encode("latin-1")]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def ask_for_upgrade(endpoint: Endpoint, head: bytes) -> UpgradeAnswer:
    """Connect, send the head of a request, read that of the answer; raises UpgradeError.

    The caller closes the wire of what is returned.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(
                endpoint.host,
                endpoint.port,
                ssl=endpoint.tls,
                limit=MAX_HEAD_BYTES,
                server_hostname=endpoint.server_name or None,
            )
    except TimeoutError as error:
        raise UpgradeError(
            f"dial tcp {endpoint.host}:{endpoint.port}: no answer in {CONNECT_SECONDS:g} s"
        ) from error
    except OSError as error:
        raise UpgradeError(f"dial tcp {endpoint.host}:{endpoint.port}: {error}") from error
    wire = SocketWire(reader, writer)
    try:
        await wire.write(head)
        answer = await reader.readuntil(b"\r\n\r\n")
        return UpgradeAnswer(_status(answer), answer, wire)
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        await wire.close()
        raise UpgradeError(f"{endpoint.host}:{endpoint.port} does not answer: {error}") from error
    except BaseException:
        with contextlib.suppress(OSError):
            writer.close()
        raise


def _status(head: bytes) -> int:
    words = head.split(b" ", 2)
    if not words[0].startswith(b"HTTP/1.") or len(words) < 2 or not words[1].isdigit():
        raise ConnectionError("the answer is no HTTP/1 answer")
    return int(words[1])
