"""Where the store is: `--etcd-servers` parsed into gRPC targets.

`http://host:port` and `host:port` are plain text, `https://host:port` is TLS with the given CA and
client certificate, `unix:///path` is a socket file.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import grpc

# A watch of a busy prefix and a page of 500 large objects exceed gRPC's default of 4 MiB.
_OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Watches and calls get a connection each, so that a 20 MB list does not delay events.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True)
class EtcdEndpoints:
    """The servers of one store, in order of preference, and the TLS files for the https ones."""

    servers: tuple[str, ...]
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


def check_server(url: str) -> None:
    """Raise ValueError, naming the remedy, unless `url` is a usable etcd endpoint."""
    target(url)


def target(url: str) -> str:
    """The gRPC target of one endpoint URL."""
    if "://" not in url:
        url = f"http://{url}"
    parts = urlsplit(url)
    if parts.scheme == "unix":
        path = parts.netloc + parts.path
        if not path:
            raise ValueError(f"{url}: a unix endpoint needs a path, as in unix:///run/store.sock")
        return f"unix:{path}"
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise ValueError(
            f"{url}: an etcd server is http://host:port, https://host:port or unix:///path"
        )
    if parts.username is not None:
        raise ValueError(f"{parts.scheme}://…@{parts.hostname}: names and passwords are not sent")
    return f"{parts.netloc}" if _port(url) else f"{parts.netloc}:2379"


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError as error:
        raise ValueError(f"{url}: the port is a number from 1 to 65535") from error


def open_channel(url: str, endpoints: EtcdEndpoints) -> grpc.aio.Channel:
    """Make a channel to one endpoint; it connects at the first call."""
    options: list[tuple[str, int | str]] = list(_OPTIONS)
    if url.startswith("unix:"):
        options.append(("grpc.default_authority", "localhost"))
    if url.startswith("https://"):
        return grpc.aio.secure_channel(target(url), _credentials(endpoints), options=options)
    return grpc.aio.insecure_channel(target(url), options=options)


def _credentials(endpoints: EtcdEndpoints) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=_read(endpoints.ca_file),
        private_key=_read(endpoints.key_file),
        certificate_chain=_read(endpoints.cert_file),
    )


def _read(path: str) -> bytes | None:
    return Path(path).read_bytes() if path else None
