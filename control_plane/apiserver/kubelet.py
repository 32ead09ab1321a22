"""Calls to kubelets: where a pod's node is reached, and connections to it.

The address and port are the node's own word (status.addresses, status.daemonEndpoints); the
connection is TLS with the API server's client certificate, checked against the kubelet CA.
"""

import ssl
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import aiohttp

from control_plane.api.errors import BadRequest, InternalError, NotFound
from control_plane.api.objects import Object, dig, name_of
from control_plane.api.resources import NODES, PODS
from control_plane.apiserver.config import KUBELET_ADDRESS_TYPES
from control_plane.apiserver.storage.collections import Collections

if TYPE_CHECKING:
    import asyncio

CONNECT_SECONDS = 10


class KubeletClient:
    """Opens HTTP and WebSocket connections to the kubelet of a pod."""

    def __init__(
        self,
        collections: Collections,
        tls: ssl.SSLContext,
        unverified: Callable[[], ssl.SSLContext],
        address_types: Sequence[str] = KUBELET_ADDRESS_TYPES,
    ) -> None:
        """`collections` are for pods and nodes; addresses of the first type come first.

        `unverified` is for kubelets that nobody vouches for, when a client asks for that.
        """
        self._collections = collections
        self._address_types = address_types
        self._tls = tls
        self.unverified = unverified
        self._session: aiohttp.ClientSession | None = None
        self._backends: aiohttp.ClientSession | None = None
        self.streams: set[asyncio.Task[None]] = set()

    def end_streams(self) -> None:
        """End every log and exec that is being relayed: the server stops."""
        for task in list(self.streams):
            task.cancel()

    async def close(self) -> None:
        """Close what is open."""
        for session in (self._session, self._backends):
            if session is not None:
                await session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The shared HTTP session; no time limit but for connecting."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls, limit=0),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
            )
        return self._session

    @property
    def tls(self) -> ssl.SSLContext:
        """The certificates that kubelets are called with."""
        return self._tls

    @property
    def backends(self) -> aiohttp.ClientSession:
        """The session for what is proxied to: every call has a connection of its own.

        A connection that is kept may be closed by the backend just when it is used again, and not
        every call can be repeated.
        """
        if self._backends is None:
            self._backends = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._backends

    async def pod(self, namespace: str, name: str) -> Object:
        """The pod as the store has it; raises NotFound."""
        pod = await self._collections.live(PODS, namespace, name)
        if pod is None:
            raise NotFound.of(PODS, name)
        return pod

    async def base_url(self, pod: Object) -> str:
        """https://host:port of the pod's kubelet; raises BadRequest for an unscheduled pod."""
        node_name = dig(pod, "spec", "nodeName", default="")
        if not node_name:
            raise BadRequest(f"pod {name_of(pod)} does not have a host assigned")
        node = await self._collections.find(NODES, "", node_name)
        if node is None:
            raise NotFound.of(NODES, node_name)
        host, port = self.address(node)
        return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"

    def address(self, node: Object) -> tuple[str, int]:
        """Host and port of a node's kubelet; raises InternalError when the node does not say."""
        return kubelet_address(node, self._address_types)


def kubelet_address(node: Object, address_types: Sequence[str]) -> tuple[str, int]:
    """Host and port of a node's kubelet; raises InternalError when the node does not say."""
    addresses: dict[str, Any] = {
        entry.get("type"): entry.get("address")
        for entry in reversed(dig(node, "status", "addresses", default=[]))
    }
    host = next((addresses[kind] for kind in address_types if addresses.get(kind)), "")
    port = dig(node, "status", "daemonEndpoints", "kubeletEndpoint", "Port", default=0)
    if not host or not port:
        raise InternalError.of(
            f"node {name_of(node)} has not reported where its kubelet can be reached"
        )
    return host, port
