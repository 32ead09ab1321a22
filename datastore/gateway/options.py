"""What the HTTP side is told by flags; `datastore/server.py` makes it from the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from datastore.addresses import ListenUrl, listen_url
from datastore.errors import ConfigError

CLIENT_FLAG, METRICS_FLAG = "listen-client-http-urls", "listen-metrics-urls"


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """The HTTP flags, in etcd's meaning.

    URLs are `http://host:port`, `https://host:port`, `unix:///path` or `unixs:///path`; `*` among
    the origins or hosts means any.
    """

    client_urls: tuple[str, ...] = ()  # --listen-client-http-urls
    metrics_urls: tuple[str, ...] = ()  # --listen-metrics-urls
    cors: tuple[str, ...] = ("*",)  # --cors
    host_whitelist: tuple[str, ...] = ("*",)  # --host-whitelist
    gateway: bool = True  # --enable-grpc-gateway
    extensive_metrics: bool = False  # --metrics=extensive

    def check_origins(self) -> None:
        """Refuse what etcd refuses of --cors: origins are `*`, or scheme, host and port."""
        for origin in self.cors:
            scheme, _, rest = origin.partition("://")
            port = rest.rpartition(":")[2]
            known = scheme in ("http", "https")
            if origin != "*" and (not known or "/" in rest or not port.isdecimal()):
                raise ConfigError(f"--cors {origin!r}: write * or a URL like http://host:80")

    @property
    def clients(self) -> tuple[ListenUrl, ...]:
        """The URLs that serve everything, understood; ConfigError if one is none."""
        return tuple(listen_url(CLIENT_FLAG, url) for url in self.client_urls)

    @property
    def metrics(self) -> tuple[ListenUrl, ...]:
        """The URLs that serve metrics and health."""
        return tuple(listen_url(METRICS_FLAG, url) for url in self.metrics_urls)

    @property
    def urls(self) -> tuple[ListenUrl, ...]:
        """All of them."""
        return self.clients + self.metrics
