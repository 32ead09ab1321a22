"""The HTTP side of a server: bound with the gRPC listeners before the database is touched.

    front = HttpFront(HttpOptions(client_urls=("http://127.0.0.1:2378",)))
    front.bind()              # ConfigError or StartError, one line; nobody can connect yet
    await front.start(edge)   # from here requests are answered
    await front.stop(2.0)     # once `edge.stopping` is set: streams end, then connections

Client URLs serve everything; metrics URLs serve /metrics and health alone. Without URLs nothing is
bound. `stop` may be called at any time and once more, also when `bind` or `start` was not.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from datastore.errors import ConfigError
from datastore.gateway.binding import Bound, bind
from datastore.gateway.options import CLIENT_FLAG
from datastore.private_directory import PrivateDirectory
from datastore.rpc.front import SERVICES

if TYPE_CHECKING:
    from datastore.addresses import ListenUrl
    from datastore.gateway.apps import ClientApp, MetricsApp
    from datastore.gateway.calls import Calls
    from datastore.gateway.connections import Connections
    from datastore.gateway.options import HttpOptions
    from datastore.rpc.answering import Edge
    from datastore.tls.serving import Serving

log = logging.getLogger(__name__)


class HttpFront:
    """All HTTP listeners of a server; `tls` is for its https and unixs URLs."""

    def __init__(
        self,
        options: HttpOptions,
        tls: Serving | None = None,
    ) -> None:
        options.check_origins()
        self._options = options
        self._tls = tls.context if tls else None
        self._refusal = tls.clients.refusal if tls and tls.clients else None
        self._client: list[Bound] = []
        self._metrics: list[Bound] = []
        self._connections: list[Connections] = []
        self._calls: Calls | None = None
        self._shared: dict[str, str] = {}  # by address: the socket of the gRPC server behind
        self._directories: list[PrivateDirectory] = []

    def behind(self, url: ListenUrl) -> ListenUrl:
        """Return where gRPC is to listen for a client URL: there, or behind a port that is shared.

        ConfigError if the port cannot be shared.
        """
        if url.address not in {client.address for client in self._options.clients}:
            return url
        if url.secure:
            raise ConfigError(
                f"--{CLIENT_FLAG} {url.url!r}: HTTP shares gRPC's port only without TLS: "
                "give it another port"
            )
        directory = PrivateDirectory()
        self._directories.append(directory)
        path = self._shared[url.address] = str(directory.path / "grpc.sock")
        log.info("grpc and http share a port, which slows grpc url=%s", url.url)
        return url._replace(address=f"unix:{path}", host="")

    def bind(self) -> None:
        """Bind every URL."""
        for url in self._options.clients:
            self._client.append(bind(url))
        for url in self._options.metrics:
            self._metrics.append(bind(url))

    async def start(self, edge: Edge) -> None:
        """Answer requests."""
        if self._client or self._metrics:
            await self._serve(edge)
        if not self._client:
            log.info(
                "no http on the grpc ports: give --%s for /health, /metrics, json", CLIENT_FLAG
            )

    async def _serve(self, edge: Edge) -> None:
        """Serve the bound URLs.

        What speaks HTTP is a third of what a server loads: one without HTTP starts without it.
        """
        from datastore.gateway.connections import Connections

        everything, common = self._apps(edge)
        await self._listen(Connections(everything, self._refusal), self._client)
        await self._listen(Connections(common, self._refusal), self._metrics)

    def _apps(self, edge: Edge) -> tuple[ClientApp, MetricsApp]:
        """Make what answers on client URLs, and on metrics URLs."""
        from datastore.gateway.access import Access
        from datastore.gateway.apps import ClientApp, MetricsApp
        from datastore.gateway.calls import Calls
        from datastore.gateway.gateway import Gateway
        from datastore.gateway.health import Health
        from datastore.gateway.metrics import Metrics

        health = Health(edge.store)
        metrics = Metrics(edge, health, extensive=self._options.extensive_metrics)
        common = MetricsApp(health, metrics.scrape)
        self._calls = Calls(edge, SERVICES)
        gateway = Gateway(self._calls) if self._options.gateway else None
        access = Access(self._options, lambda: _names_would_count(edge))
        return ClientApp(access, common, gateway), common

    async def stop(self, grace: float = 0) -> None:
        """Finish what is being answered, for a while, and give the addresses back."""
        for connections in self._connections:
            await connections.stop(grace)
        self._connections.clear()
        if self._calls:
            self._calls.close()
        for bound in (*self._client, *self._metrics):
            bound.release()
        for directory in self._directories:
            directory.close()
        self._directories.clear()
        self._shared.clear()
        self._client.clear()
        self._metrics.clear()

    async def _listen(self, connections: Connections, bound: list[Bound]) -> None:
        self._connections.append(connections)
        for listener in bound:
            tls = self._tls if listener.url.secure else None
            grpc = self._shared.get(listener.url.address, "")
            await connections.listen(listener.sockets, tls, grpc)
            log.info("serving http url=%s", listener.url.url)


async def _names_would_count(edge: Edge) -> bool:
    """Say whether a client's certificate would make it a user, were this gRPC."""
    if not edge.client_cert_auth or not edge.store.auth.may_be_on:
        return False
    return bool((await edge.store.state()).auth)
