"""What the HTTP side is told by flags; `datastore/server.py` makes it from the configuration."""

from __future__ import annotations

from dataclasses import dataclass


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
