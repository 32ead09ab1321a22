"""URLs to listen on: `http://`, `https://` with host:port, `unix://` and `unixs://` with a path."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from datastore.errors import ConfigError

SECURE = {"http": False, "https": True, "unix": False, "unixs": True}
HOST_SCHEMES = ("http", "https")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?", re.ASCII)


class ListenUrl(NamedTuple):
    """A URL that was understood: `address` is `host:port` or `unix:/path`, as gRPC writes it."""

    url: str
    address: str
    host: str
    secure: bool

    @property
    def local(self) -> bool:
        """Whether only this machine can connect: a unix socket, or a loopback address."""
        try:
            return not self.host or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def listen_url(flag: str, url: str) -> ListenUrl:
    """Return the parts of a URL that a flag gives; ConfigError says what to write."""
    scheme, _, rest = url.partition(":")
    if scheme not in SECURE:
        raise ConfigError(f"--{flag} {url!r}: write http://host:port or unix:///path")
    if scheme not in HOST_SCHEMES:
        path = rest.removeprefix("//")
        if not path:
            raise ConfigError(f"--{flag} {url!r}: write {scheme}:///path/to/socket")
        return ListenUrl(url, f"unix:{path}", "", SECURE[scheme])
    host, port = _host_and_port(url)
    if not host or port is None:
        raise ConfigError(f"--{flag} {url!r}: write {scheme}://host:port")
    bracketed = f"[{host}]" if ":" in host else host
    return ListenUrl(url, f"{bracketed}:{port}", host, SECURE[scheme])


def _host_and_port(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", None
    host = parts.hostname or ""
    if parts.path.strip("/") or parts.query or parts.username or not _is_host(host):
        return "", None
    return host, port


def _is_host(text: str) -> bool:
    """Say whether a text is an address or a name as DNS has it (an IDN is one as xn--…)."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_NAME.fullmatch(text))
    return True
