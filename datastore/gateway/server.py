"""The HTTP side of a server: bound with the gRPC listeners before the database is touched.

    front = HttpFront(HttpOptions(client_urls=("http://127.0.0.1:2378",)), tls=None)
    front.bind()              # ConfigError or StartError, one line; nobody can connect yet
    await front.start(edge)   # from here requests are answered
    await front.stop()        # once `edge.stopping` is set: streams end, then connections

Client URLs serve everything; metrics URLs serve /metrics and health alone. Without URLs nothing is
bound. `stop` may be called at any time, also when `bind` or `start` was not.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from datastore.errors import ConfigError
from datastore.gateway.access import Access, check_origins
from datastore.gateway.apps import ClientApp, MetricsApp
from datastore.gateway.binding import Bound, bind
from datastore.gateway.calls import Calls
from datastore.gateway.connections import Connections
from datastore.gateway.gateway import Gateway
from datastore.gateway.health import Health
from datastore.gateway.metrics import Metrics
from datastore.rpc.front import SERVICES

if TYPE_CHECKING:
    import ssl

    from datastore.gateway.connections import Refusal
    from datastore.gateway.options import HttpOptions
    from datastore.rpc.answering import Edge

log = logging.getLogger(__name__)
GRACE_SECONDS = 2.0
CLIENT_FLAG, METRICS_FLAG = "--listen-client-http-urls", "--listen-metrics-urls"


class HttpFront:
    """All HTTP listeners of a server; `tls` is for its https and unixs URLs.

    `refusal` says of a TLS client's certificate chain (PEM) and address why it may not come in.
    """

    def __init__(
        self,
        options: HttpOptions,
        tls: ssl.SSLContext | None = None,
        refusal: Refusal | None = None,
    ) -> None:
        check_origins(options.cors)
        self._options = options
        self._tls = tls
        self._refusal = refusal
        self._client: list[Bound] = []
        self._metrics: list[Bound] = []
        self._connections: list[Connections] = []

    def bind(self) -> None:
        """Bind every URL."""
        for flag, urls, bound in (
            (CLIENT_FLAG, self._options.client_urls, self._client),
            (METRICS_FLAG, self._options.metrics_urls, self._metrics),
        ):
            for url in urls:
                bound.append(bind(url, flag))
                if bound[-1].secure and self._tls is None:
                    raise ConfigError(f"{flag} {url!r} needs --cert-file and --key-file")

    async def start(self, edge: Edge) -> None:
        """Answer requests."""
        health = Health(edge.store)
        metrics = Metrics(edge, health, extensive=self._options.extensive_metrics)
        common = MetricsApp(health, metrics.scrape)
        gateway = Gateway(Calls(edge, SERVICES)) if self._options.gateway else None

        async def has_auth() -> bool:
            return edge.store.auth.may_be_on and bool((await edge.store.state()).auth)

        access = Access(self._options, has_auth)
        everything = ClientApp(access, common, gateway)
        await self._listen(Connections(everything, self._refusal), self._client)
        await self._listen(Connections(common, self._refusal), self._metrics)
        if not self._client:
            log.info("no http on the grpc ports: give %s for /health, /metrics, json", CLIENT_FLAG)

    async def stop(self) -> None:
        """Finish what is being answered, for a while, and give the addresses back."""
        for connections in self._connections:
            await connections.stop(GRACE_SECONDS)
        for bound in (*self._client, *self._metrics):
            bound.release()

    async def _listen(self, connections: Connections, bound: list[Bound]) -> None:
        self._connections.append(connections)
        for listener in bound:
            await connections.listen(listener.sockets, self._tls if listener.secure else None)
            log.info("serving http url=%s", listener.url)
