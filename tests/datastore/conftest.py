"""Database servers for the tests that need one, and an empty database of a kind."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.datastore.core import Core
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

_databases = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One cluster for all tests that do not stop it."""
    with Postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Mariadb]:
    """One server for all tests that do not stop it."""
    with Mariadb() as server:
        yield server


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> Postgres | Mariadb:
    """A database server that servers of ours can share, of either kind."""
    found: Postgres | Mariadb = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def name() -> str:
    """The name of a database that no other test has."""
    return f"shared{next(_databases)}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; `EVERY_DATABASE` asks for one of MariaDB too."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    fixture = {"postgresql": "postgres", "mysql": "mariadb"}[request.param]
    server: Postgres | Mariadb = request.getfixturevalue(fixture)
    return server.url(f"unit{next(_databases)}")


@pytest.fixture
def core(database: str) -> Iterator[Core]:
    """The store's core over a new database of either kind, without a server around it."""
    with Core(database) as opened:
        yield opened
