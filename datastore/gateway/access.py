"""Who may speak to the client URLs, and what browsers are told: what etcd asks before any path.

In order: the old prefix is rewritten; cleartext requests are held against the hosts allowed (a
page in a browser may have made its name resolve to us); with authentication on, a TLS client with
a common name is refused at the gateway, which would not act as that user; then come the CORS
headers, and OPTIONS is answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from datastore.gateway.connections import peer_of
from datastore.gateway.health import PLAIN, Answer
from datastore.gateway.routes import OLD_PREFIX, PREFIX
from datastore.tls.clients import common_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from datastore.gateway.options import HttpOptions

ANY = "*"
CORS = (
    (b"access-control-allow-methods", b"POST, GET, OPTIONS, PUT, DELETE"),
    (b"access-control-allow-headers", b"accept, content-type, authorization"),
)
HAS_NAME = (
    b"CommonName of client sending a request against gateway will be ignored and not used as "
    b"expected\n"
)
UNKNOWN_HOST = (
    "the Host header {host!r} is not allowed here: use https, or add the name to --host-whitelist "
    "(this protects against DNS rebinding, CVE-2018-5702)\n"
)
_PORTS = {"http": 80, "https": 443}


class Entry(NamedTuple):
    """A request that may go on, to this path, with these headers on its answer."""

    path: str
    headers: tuple[tuple[bytes, bytes], ...]


class Access:
    """The checks of one server; `names_count` says whether certificates make users."""

    def __init__(self, options: HttpOptions, names_count: Callable[[], Awaitable[bool]]) -> None:
        self._names_count = names_count
        self._hosts = frozenset(options.host_whitelist)
        self._origins = frozenset(options.cors)
        self._has_gateway = options.gateway

    async def enter(self, scope: Any) -> Entry | Answer:
        """Return the way on, or the answer that ends the request."""
        path = scope["path"]
        if path.startswith(OLD_PREFIX):
            path = PREFIX + path.removeprefix(OLD_PREFIX)
        headers = dict(scope["headers"])
        if scope["scheme"] == "http":
            host = host_of(headers.get(b"host", b"").decode("latin-1"))
            if not self._hosts & {ANY, host}:
                return Answer(421, UNKNOWN_HOST.format(host=host).encode(), PLAIN)
        elif await self._is_refused(path, scope):
            return Answer(400, HAS_NAME, PLAIN)
        return Entry(path, self._cors(headers.get(b"origin", b"")))

    async def _is_refused(self, path: str, scope: Any) -> bool:
        if not self._has_gateway or not path.startswith(PREFIX) or not is_named(scope):
            return False
        return await self._names_count()

    def _cors(self, origin: bytes) -> tuple[tuple[bytes, bytes], ...]:
        if ANY in self._origins:
            return (*CORS, (b"access-control-allow-origin", b"*"))
        if origin and origin.decode("latin-1") in self._origins:
            return (*CORS, (b"access-control-allow-origin", origin))
        return ()


def is_named(scope: Any) -> bool:
    """Say whether the client's certificate has a common name."""
    return bool(common_name(peer_of(scope).chain))


def host_of(header: str) -> str:
    """Return the name of a Host header, without the port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0] if header.count(":") == 1 else header
