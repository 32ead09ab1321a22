"""Where a MySQL or MariaDB store is: an endpoint URL, taken apart.

    mysql://USER:PASSWORD@HOST:PORT/DATABASE?ssl_mode=VERIFY_IDENTITY&ssl_ca=ca.pem
    mysql://USER:PASSWORD@ONE:3306,TWO:3306,THREE:3306/DATABASE
    mysql://USER@/DATABASE?unix_socket=/run/mysqld/mysqld.sock

The parameters are those of the `mysql` program: `unix_socket`, `ssl_mode`, `ssl_ca`, `ssl_cert`,
`ssl_key`. Any other is refused by name. Without a password in the URL that of `MYSQL_PWD` counts.
"""

from __future__ import annotations

import hashlib
import os
import ssl
from typing import TYPE_CHECKING, NamedTuple

from datastore.backends.endpoint_url import shown
from datastore.backends.pulse import CLOCKS, Pulse
from datastore.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

SSL_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
PARAMETERS = ("unix_socket", "ssl_mode", "ssl_ca", "ssl_cert", "ssl_key")
PREFIXES = {"table_prefix", "prefix", "schema"}  # by which people ask for part of a database
PORT = 3306


class Node(NamedTuple):
    """One of the servers that hold a store."""

    host: str
    port: int


class Target(NamedTuple):
    """How to reach a store; `name` is for people, and has no secret in it.

    `tls` is None to speak in the clear; `tls_needed` says that a server without it is refused.
    """

    name: str
    database: str
    user: str
    password: str
    nodes: tuple[Node, ...]  # to be tried in order
    socket: str
    tls: ssl.SSLContext | None
    tls_needed: bool

    @property
    def pulse(self) -> Pulse:
        """The statements by which servers see each other."""
        return Pulse(lambda name: f"`{name}`", CLOCKS["mysql"])

    def lock(self, purpose: str) -> str:
        """Return the name of a lock, which all databases of a server share: 64 letters at most."""
        digest = hashlib.sha256(self.database.encode()).hexdigest()[:16]
        return f"tapir-{digest}-{purpose}"


def target_of(url: URL) -> Target:
    """Return the target of a URL; ConfigError names what is wrong."""
    name = shown(url)
    given = {key: value if isinstance(value, str) else value[-1] for key, value in
             url.query.items()}  # fmt: skip
    nodes = _nodes(url, name, given.pop("host", ""), given.pop("port", ""))
    unknown = sorted(given.keys() - set(PARAMETERS))
    if given.keys() & PREFIXES:
        raise ConfigError(
            f"datastore endpoint {name}: tables have no prefix: a store needs a database that is "
            "its own, as in CREATE DATABASE kube; GRANT ALL ON kube.* TO the user"
        )
    if unknown:
        raise ConfigError(
            f"datastore endpoint {name}: there is no parameter {unknown[0]}: "
            f"give {', '.join(PARAMETERS)}"
        )
    if not url.database:
        raise ConfigError(f"datastore endpoint {name} names no database: end it with /DATABASE")
    socket = given.get("unix_socket", "")
    mode = _mode(name, given)
    return Target(
        name,
        url.database,
        url.username or "root",
        url.password or os.environ.get("MYSQL_PWD", ""),
        nodes,
        socket,
        None if mode == "DISABLED" or socket else _context(name, mode, given),
        mode not in ("DISABLED", "PREFERRED"),
    )


def _nodes(url: URL, name: str, hosts: str, ports: str) -> tuple[Node, ...]:
    """Return the nodes; `hosts` and `ports` are those of a URL with several, each as a list."""
    if not hosts:
        return (Node(url.host or "localhost", url.port or PORT),)
    given = ports.split(",") if ports else []
    numbers = [given[at] if at < len(given) else "" for at in range(hosts.count(",") + 1)]
    if not all(number.isdecimal() or not number for number in numbers):
        raise ConfigError(f"datastore endpoint {name}: a port is no number")
    pairs = zip(hosts.split(","), numbers, strict=True)
    return tuple(Node(host or "localhost", int(number or PORT)) for host, number in pairs)


def _mode(name: str, given: dict[str, str]) -> str:
    """Return the mode; an authority that is named is there to be asked."""
    usual = "VERIFY_IDENTITY" if "ssl_ca" in given else "PREFERRED"
    mode = given.get("ssl_mode", usual).upper()
    if mode not in SSL_MODES:
        raise ConfigError(f"datastore endpoint {name}: ssl_mode is none of {', '.join(SSL_MODES)}")
    if mode != "PREFERRED" or not given.keys() & {"ssl_cert", "ssl_key"}:
        return mode
    return "REQUIRED"


def _context(name: str, mode: str, given: dict[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=given.get("ssl_ca"))
        context.check_hostname = mode == "VERIFY_IDENTITY"
        verifies = mode.startswith("VERIFY")
        context.verify_mode = ssl.CERT_REQUIRED if verifies else ssl.CERT_NONE
        if "ssl_cert" in given:
            context.load_cert_chain(given["ssl_cert"], given.get("ssl_key"))
    except OSError as error:
        files = ", ".join(given[key] for key in ("ssl_ca", "ssl_cert", "ssl_key") if key in given)
        raise ConfigError(f"datastore endpoint {name}: TLS with {files}: {error}") from error
    return context
