"""Flags of the datastore, under etcd's names, and the checked configuration that they make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from datastore.errors import ConfigError

if TYPE_CHECKING:
    import argparse

DEFAULT_URL = "http://localhost:2379"
DEFAULT_QUOTA = 2 << 30
GRPC_FRONTS = ("auto", "grpcio", "native")  # what serves plaintext TCP
LOG_LEVELS = ("debug", "info", "warn", "error")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")


@dataclass(frozen=True, slots=True)
class DatastoreConfig:
    """What a datastore server is told. Seconds, bytes; a quota of 0 or less is none."""

    endpoint: str
    listen_client_urls: tuple[str, ...] = (DEFAULT_URL,)
    advertise_client_urls: tuple[str, ...] = ()
    name: str = "default"
    watch_progress_notify_interval: float = 600.0
    max_request_bytes: int = 1_572_864
    max_txn_ops: int = 128
    quota_backend_bytes: int = DEFAULT_QUOTA
    log_level: str = "info"
    auth_token: str = "simple"
    auth_token_ttl: int = 300
    bcrypt_cost: int = 10
    grpc_front: str = "auto"

    def __post_init__(self) -> None:
        """Refuse what could not be served."""
        if not self.listen_client_urls:
            raise ConfigError("--listen-client-urls is empty: give at least one URL")
        for url in self.listen_client_urls:
            listen_address(url)
        if not self.name:
            raise ConfigError("--name is empty: give the server a name")
        if self.watch_progress_notify_interval < 0.1:
            raise ConfigError("--watch-progress-notify-interval must be at least 100ms")
        if self.max_request_bytes <= 0 or self.max_txn_ops <= 0:
            raise ConfigError("--max-request-bytes and --max-txn-ops must be positive")

    @property
    def advertised(self) -> tuple[str, ...]:
        """The URLs that other clients are told; those listened on, if none were given."""
        return self.advertise_client_urls or self.listen_client_urls


def listen_address(url: str) -> str:
    """Return the gRPC address of a listen URL: `host:port`, or `unix:/path`."""
    if url.startswith("unix:"):
        path = url.removeprefix("unix:").removeprefix("//")
        if not path:
            raise ConfigError(f"--listen-client-urls {url!r}: write unix:///path/to/socket")
        return f"unix:{path}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme == "https":
        raise ConfigError(f"--listen-client-urls {url!r}: TLS is not supported yet, use http")
    if parts.scheme != "http" or not host or not port or parts.path.strip("/"):
        raise ConfigError(f"--listen-client-urls {url!r}: write http://host:port or unix:///path")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_duration(text: str) -> float:
    """Return the seconds of a duration as Go writes it: `10m`, `1h30m`, `500ms`."""
    if not _DURATION.fullmatch(text):
        raise ConfigError(f"duration {text!r}: write it like 500ms, 5s or 10m")
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the datastore's flags to a parser."""
    add = parser.add_argument
    add("--endpoint", required=True, help="database: sqlite:///file.db or postgresql://…")
    add("--listen-client-urls", default=DEFAULT_URL, help="comma list of http://host:port, unix://")
    add("--advertise-client-urls", default="", help="URLs that clients are told in MemberList")
    add("--name", default="default", help="name of this server among those of its store")
    add("--watch-progress-notify-interval", default="10m", help="period of progress notices")
    add("--max-request-bytes", type=int, default=1_572_864, help="largest write request")
    add("--max-txn-ops", type=int, default=128, help="most operations in one transaction")
    add("--quota-backend-bytes", type=int, default=0, help="0 is 2 GiB, negative is no quota")
    add("--grpc-front", choices=GRPC_FRONTS, default="auto", help="auto is native where installed")
    add("--auth-token", default="simple", help="kind of token: simple, or jwt,sign-method=…")
    add("--auth-token-ttl", type=int, default=300, help="seconds that a simple token lives")
    add("--bcrypt-cost", type=int, default=10, help="cost of hashing a password, 4 to 31")
    add("--log-level", choices=LOG_LEVELS, default="info", help="least level that is logged")


def from_args(args: argparse.Namespace) -> DatastoreConfig:
    """Return the configuration of parsed flags; ConfigError names what is wrong."""
    return DatastoreConfig(
        endpoint=args.endpoint,
        listen_client_urls=_split(args.listen_client_urls),
        advertise_client_urls=_split(args.advertise_client_urls),
        name=args.name,
        watch_progress_notify_interval=parse_duration(args.watch_progress_notify_interval),
        max_request_bytes=args.max_request_bytes,
        max_txn_ops=args.max_txn_ops,
        quota_backend_bytes=args.quota_backend_bytes or DEFAULT_QUOTA,
        log_level=args.log_level,
        auth_token=args.auth_token,
        auth_token_ttl=args.auth_token_ttl,
        bcrypt_cost=args.bcrypt_cost,
        grpc_front=args.grpc_front,
    )


def _split(urls: str) -> tuple[str, ...]:
    return tuple(url.strip() for url in urls.split(",") if url.strip())
