"""A populated store of any earlier schema gets the views of this one, and loses nothing by it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from datastore.backends.migration import MIGRATIONS, VERSION_TABLE, known_versions
from datastore.mvcc.model import Put
from tests.datastore.core import Core

ROWS = [  # revision, key, value, create_revision, version, previous revision
    (2, b"/registry/pods/default/web", b'{"kind":"Pod"}', 2, 1, 0),
    (3, b"/registry/minions/one", b"k8s\0\n\x0a\n\x02v1\x12\x04Node", 3, 1, 0),
    (4, b"/registry/pods/default/web", b'{"kind":"Pod","n":2}', 2, 2, 2),
    (5, b"\xff", b"\xff", 5, 1, 0),
]


@contextmanager
def connected(database: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def make(database: str, version: str) -> None:
    """Make a store of an earlier schema, with rows in it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["version_table"] = VERSION_TABLE
    with connected(database) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        for revision, key, value, created, version_, previous in ROWS:
            columns: dict[str, Any] = {
                "id": revision << 20,
                "key": key,
                "create_revision": created,
                "version": version_,
                "lease": 0,
                "deleted": 0,
            }
            event = {**columns, "value": value, "prev_id": previous << 20}
            connection.execute(sa.text(inserting("history", event)), event)
            connection.execute(sa.text("DELETE FROM kv WHERE key = :key"), {"key": key})
            connection.execute(sa.text(inserting("kv", columns)), columns)


def inserting(table: str, row: dict[str, Any]) -> str:
    names = ", ".join(row)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"


@pytest.mark.parametrize("version", known_versions()[:-1])
def test_an_earlier_store_gets_the_views(database: str, version: str) -> None:
    make(database, version)

    with Core(database) as core:
        core.commit(Put(b"/registry/pods/default/new", b"{}"))
        live = core.live()
    with connected(database) as connection:
        objects = connection.execute(
            sa.text("SELECT resource, name, revision, value, kind FROM objects ORDER BY revision")
        ).fetchall()
        events = connection.execute(
            sa.text("SELECT revision, event, time IS NULL FROM changes ORDER BY id")
        )
        happened = [tuple(row) for row in events]

    assert [row[3] for row in live] == [3, 6, 4, 5]
    assert [tuple(row) for row in objects] == [
        ("nodes", "one", 3, None, "Node"),
        ("pods", "web", 4, '{"kind":"Pod","n":2}', "Pod"),
        ("pods", "new", 6, "{}", None),
    ]
    assert happened == [
        (2, "create", True),
        (3, "create", True),
        (4, "update", True),
        (5, "create", True),
        (6, "create", False),
    ]


def test_rights_and_views_of_people_outlive_the_migration(
    request: pytest.FixtureRequest,
) -> None:
    database = request.getfixturevalue("postgres").url("views_of_people")
    make(database, "0003")
    with psycopg.connect(database) as connection:
        connection.execute("CREATE VIEW mine AS SELECT name, value FROM objects WHERE name = 'web'")
        connection.execute("CREATE ROLE somebody")
        connection.execute("GRANT SELECT ON objects TO somebody")

    with Core(database):
        pass

    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT * FROM mine").fetchall() == [("web", ROWS[2][2].decode())]
        connection.execute("SET ROLE somebody")
        assert connection.execute("SELECT count(*) FROM objects").fetchone() == (2,)


def test_a_view_of_a_person_on_a_file_outlives_the_migration(tmp_path: Any) -> None:
    path = tmp_path / "store.db"
    make(f"sqlite:///{path}", "0003")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW mine AS SELECT name, value FROM objects WHERE name = 'web'")

    with Core(f"sqlite:///{path}"):
        pass

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM mine").fetchall() == [("web",)]
