"""`tapir certificates`: an authority, and what a store and its clients show to one another.

    ca.crt, ca.key            sign the others
    server.crt, server.key    for `tapir datastore` or an etcd, good for the names that were given
    client.crt, client.key    for its clients

What is there and good for a month more is left alone, so the command may run at every start.
"""

import argparse
import datetime
import ipaddress
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tapir.refusal import Refusal

if TYPE_CHECKING:
    from control_plane.pki.authority import Identity

NAMES = "localhost,127.0.0.1"
DNS_NAME = re.compile(r"(\*\.)?[a-zA-Z0-9_]([-a-zA-Z0-9_.]{0,251}[a-zA-Z0-9])?")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add where the files go, and what the server is called."""
    add = parser.add_argument
    add("--directory", type=Path, required=True, help="where the files are, or are to be")
    add(
        "--names",
        default=NAMES,
        metavar="NAME[,NAME]",
        help="host names and IP addresses that clients reach the server by",
    )


def run(flags: argparse.Namespace) -> int:
    """Make what is missing, name the directory, and return the exit code."""
    from control_plane.pki.authority import Authority, Identity, KeyPair, PkiError

    server, client = _server(flags.names), Identity("store-client")
    now = datetime.datetime.now(datetime.UTC)
    directory: Path = flags.directory
    pairs = {
        name: KeyPair(directory / f"{name}.crt", directory / f"{name}.key")
        for name in ("ca", "server", "client")
    }
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = Authority.open(pairs["ca"], now)
        authority.ensure(pairs["server"], server, now)
        authority.ensure(pairs["client"], client, now)
    except PkiError as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        raise Refusal(f"{error.filename or directory}: {error.strerror}") from error
    sys.stdout.write(f"certificates of {flags.names} are in {directory}\n")
    return 0


def _server(names: str) -> "Identity":
    """Return who a server of these names is; Refusal when there is none, or one is not a name."""
    from control_plane.pki.authority import Identity, IPAddress

    hosts: list[str] = []
    addresses: list[IPAddress] = []
    for name in filter(None, map(str.strip, names.split(","))):
        try:
            addresses.append(ipaddress.ip_address(name))
        except ValueError:
            if not DNS_NAME.fullmatch(name):
                raise Refusal(f"--names: {name!r} is neither host name nor IP address") from None
            hosts.append(name)
    if not hosts and not addresses:
        raise Refusal(f"--names is empty: give some, as in {NAMES}")
    return Identity("store", dns_names=tuple(hosts), addresses=tuple(addresses))
