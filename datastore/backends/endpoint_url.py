"""Endpoint URLs as people write them, and as they may be shown.

`parse` takes what libpq takes too: the scheme `postgres://`, and several hosts before the path
(`postgresql://user@one:5432,two:5432/db`, and so for MySQL). A password may come from a file
instead, so that no list of processes shows it. What is shown of a URL (in logs, errors and names)
never has a secret in it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from datastore.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import URL

ALIASES = {"postgres": "postgresql"}
SEVERAL_HOSTS = ("postgresql", "mysql")
SECRETS = frozenset({"password", "passwd", "sslpassword"})  # query parameters not to be shown
_HOSTS = re.compile(r"(?P<before>[^/?#]*@|)(?P<hosts>[^@/?#]*,[^@/?#]*)(?P<after>[/?#].*|)", re.S)
_GO = re.compile(r"(?:^|[@/])tcp\(")  # the driver of k3s: user:password@tcp(host:port)/database


def parse(endpoint: str, schemes: Collection[str], password_file: str = "") -> URL:
    """Return an endpoint URL; ConfigError names what is wrong, without its secrets.

    A password in the file counts where the URL has none.
    """
    try:
        url = make_url(_one_host(endpoint))
    except (ArgumentError, ValueError):
        url = None
    scheme = ALIASES.get(url.drivername, url.drivername) if url else ""
    if url is None or scheme not in schemes:
        raise ConfigError(
            f"datastore endpoint {without_password(endpoint)!r} is {_misread(endpoint, schemes)}"
        )
    url = url.set(drivername=scheme)
    if password_file:
        url = _with_password(url, password_file)
    return url


def _misread(endpoint: str, schemes: Collection[str]) -> str:
    """Say what is wrong with a text that is no endpoint URL."""
    if _GO.search(endpoint):
        return "written as for k3s: give mysql://USER:PASSWORD@HOST:PORT/DATABASE"
    return "not one of " + ", ".join(f"{known}://…" for known in schemes)


def shown(url: URL) -> str:
    """Return a URL for people: the password as asterisks, and no parameter that is a secret."""
    query = {key: value for key, value in url.query.items() if key not in SECRETS}
    return url.set(query=query).render_as_string(hide_password=True)


def without_password(endpoint: str) -> str:
    """Return an endpoint fit for an error message: without user, password and query."""
    scheme, separator, rest = endpoint.partition("://")
    if not separator:  # it is no URL, but may have been meant as one
        scheme, rest = "", endpoint
    return scheme + separator + rest.partition("?")[0].rpartition("@")[2]


def has_password(endpoint: str) -> bool:
    """Say whether a text that should be an endpoint URL has a password in it."""
    try:
        url = make_url(_one_host(endpoint))
    except (ArgumentError, ValueError):
        return False
    return bool(url.password) or not SECRETS.isdisjoint(url.query)


def _one_host(endpoint: str) -> str:
    """Write several hosts as the parameters `host` and `port`, the other form that libpq knows."""
    scheme, separator, rest = endpoint.partition("://")
    found = _HOSTS.fullmatch(rest)
    if not found or ALIASES.get(scheme, scheme) not in SEVERAL_HOSTS:
        return endpoint
    pairs = [_host_and_port(one) for one in found["hosts"].split(",")]
    parameters = "host=" + ",".join(host for host, _ in pairs)
    if any(port for _, port in pairs):
        parameters += "&port=" + ",".join(port for _, port in pairs)
    path, _, query = found["after"].partition("?")
    query = f"{parameters}&{query}" if query else parameters
    return f"{scheme}{separator}{found['before']}{path or '/'}?{query}"


def _host_and_port(text: str) -> tuple[str, str]:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, ""
    return host.strip("[]"), port


def _with_password(url: URL, file: str) -> URL:
    if url.password or not SECRETS.isdisjoint(url.query):
        raise ConfigError("--endpoint has a password, and --endpoint-password-file too: give one")
    try:
        text = Path(file).read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--endpoint-password-file {file}: {error}") from error
    if not text or "\n" in text:
        raise ConfigError(f"--endpoint-password-file {file}: write the password, and no more")
    return url.set(password=text)
