"""Room that PostgreSQL's history needed once and needs no more: given back, while it serves."""

import itertools
import os
from collections.abc import Iterator

import psycopg
import pytest

from datastore.backends import postgres as backend
from datastore.backends import postgres_surplus
from datastore.backends.postgres_surplus import Room, room_of
from datastore.mvcc.model import Put
from tests.datastore.core import Core
from tests.support.postgres import Postgres

KEYS, TIMES = 100, 10
PAGES = "SELECT pg_relation_size('history') / 8192"
PLACES = "SELECT ctid::text, id FROM history ORDER BY id"
HISTORY = "SELECT * FROM history ORDER BY id"
_databases = itertools.count(1)


@pytest.fixture
def url(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(backend, "LEAST_SWEPT", KEYS)
    monkeypatch.setattr(postgres_surplus, "LOOK_EVERY", 1)
    monkeypatch.setattr(postgres_surplus, "LOOKS", 2)
    monkeypatch.setattr(postgres_surplus, "STEP_PAGES", 16)
    return postgres.url(f"surplus{next(_databases)}")


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def update(core: Core, size: int = 1_000) -> None:
    core.commit(*(Put(b"key%03d" % number, os.urandom(size)) for number in range(KEYS)))


def prune(core: Core) -> None:
    core.compact(core.revision())
    core.prune(2 * KEYS * TIMES)


def keep_house(core: Core, times: int = 40) -> None:
    for _ in range(times):
        core.backend.housekeep(core.session)


def pages(connection: psycopg.Connection) -> int:
    row = connection.execute(PAGES).fetchone()
    assert row is not None
    return int(row[0])


def test_what_was_needed_once_goes_back_and_nothing_else_changes(
    url: str, connection: psycopg.Connection
) -> None:
    with Core(url) as core:
        for _ in range(TIMES):
            update(core)
        prune(core)
        update(core)
        before, rows = pages(connection), connection.execute(HISTORY).fetchall()

        keep_house(core)

        assert pages(connection) < before / 2
        assert connection.execute(HISTORY).fetchall() == rows
        prune(core)
        assert connection.execute("SELECT count(*) FROM history").fetchone() == (KEYS,)


def test_what_is_needed_now_and_then_stays(url: str, connection: psycopg.Connection) -> None:
    with Core(url) as core:
        for _ in range(4):
            for _ in range(TIMES):
                update(core)
            keep_house(core, 1)  # nothing is free
            prune(core)
            before = connection.execute(PLACES).fetchall()
            keep_house(core, 1)
            assert connection.execute(PLACES).fetchall() == before


def test_rows_with_very_large_values_stay_where_they_are(
    url: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_surplus, "STEP_BYTES", 10_000)
    with Core(url) as core:
        for _ in range(TIMES):
            update(core)
        prune(core)
        before = connection.execute(PLACES).fetchall()

        keep_house(core)

        assert connection.execute(PLACES).fetchall() == before


def test_room_is_what_rows_do_not_need() -> None:
    full = room_of(1_000, 7 * 256, 7 * 256 * 1_100, 25.6)
    assert full.free <= 1
    half = room_of(1_000, 7 * 128, 7 * 128 * 1_100, 25.6)
    assert abs(half.free - 500) <= 1
    assert room_of(1_000, 0, 0, 25.6) == Room(1_000, 1_000)
    assert room_of(0, 0, 0, 100.0) == Room(0, 0)
