"""People with certificates of the cluster's authority."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from control_plane.pki.authority import Authority, Identity, KeyPair
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi


def certificate(
    server: ThreadedApiServer, directory: Path, name: str, groups: tuple[str, ...] = ()
) -> KeyPair:
    """A certificate for `name`, a member of `groups`."""
    now = datetime.datetime.now(datetime.UTC)
    pair = KeyPair(directory / f"{name}.crt", directory / f"{name}.key")
    identity = Identity(name, groups)
    Authority.open(server.pki.pair("ca"), now).ensure(pair, identity, now)
    return pair


@contextmanager
def person(
    server: ThreadedApiServer, directory: Path, name: str, groups: tuple[str, ...] = ()
) -> Iterator[RawApi]:
    """A client of `name`."""
    pair = certificate(server, directory, name, groups)
    with RawApi(server.url, server.pki.pair("ca").certificate, pair) as client:
        yield client
