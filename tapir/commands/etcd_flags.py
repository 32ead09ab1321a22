"""etcdctl's flags, which the tools that ask an etcd or a server of ours have in common."""

from __future__ import annotations

import os
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from tapir.refusal import Refusal

if TYPE_CHECKING:
    import argparse

    from datastore.tools.endpoint import Server

USER = "ETCDCTL_USER"  # etcdctl's own: unlike a flag, others do not see it among the processes


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add who asks, and how the server is known."""
    add = parser.add_argument
    add("--cacert", type=Path, help="etcd: authority of the server's certificate")
    add("--cert", type=Path, help="etcd: client certificate")
    add("--key", type=Path, help="etcd: key of the client certificate")
    add("--user", default="", help=f"etcd: name[:password] of a user with the role root; or {USER}")


def server_of(flags: argparse.Namespace, endpoint: str, flag: str = "endpoints") -> Server:
    """Return the server that the flags describe; Refusal when there is no password."""
    from datastore.tools.endpoint import Server

    user, password = _user(flags.user or os.environ.get(USER, ""))
    return Server(endpoint, flags.cacert, flags.cert, flags.key, user, password, flag)


def _user(given: str) -> tuple[str, str]:
    """Return a name and its password, which is asked for unless it is given too."""
    name, colon, password = given.partition(":")
    if not name or colon:
        return name, password
    try:
        return name, getpass(f"password of {name}: ")
    except EOFError as error:
        raise Refusal(f"no password for user {name}: give name:password in {USER}") from error
