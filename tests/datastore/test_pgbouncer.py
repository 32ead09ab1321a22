"""Behind PgBouncer in transaction mode: everything works, and nothing is left with a session."""

import asyncio
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from datastore.backends.ear import unseen
from datastore.backends.migration import VERSION_TABLE
from datastore.mvcc.model import Put
from datastore.tools.check import check
from tests.datastore.client import client_of, events
from tests.datastore.core import Core
from tests.datastore.test_refusals import listening, refused
from tests.support.datastore import Datastore
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres

SETTINGS = ("search_path", "lock_timeout", "enable_seqscan", "jit", "statement_timeout")
_databases = itertools.count(1)


@pytest.fixture(scope="module")
def pooler(postgres: Postgres) -> Iterator[PgBouncer]:
    with PgBouncer(postgres.port) as started:
        yield started


@pytest.fixture
def direct(postgres: Postgres) -> str:
    return postgres.url(f"pooled{next(_databases)}")


@pytest.fixture
def url(direct: str, pooler: PgBouncer) -> str:
    return pooler.url(direct)


def settings_of_every_connection(url: str) -> set[tuple[str, ...]]:
    """Ask through the pooler, which gives each transaction the next connection."""
    found = set()
    for _ in range(30):
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            shown = [connection.execute(f"SHOW {name}").fetchone() for name in SETTINGS]
        found.add(tuple(str(row[0]) for row in shown if row))
    return found


async def test_servers_share_revisions_and_watches(url: str) -> None:
    with Datastore(url, ["--name", "one"]) as one, Datastore(url, ["--name", "two"]) as two:
        async with (
            client_of(one.address) as left,
            client_of(two.address) as right,
            left.watching() as stream,
        ):
            revisions = await asyncio.gather(
                *(side.put(b"k", b"%d" % n) for n in range(50) for side in (left, right))
            )
            seen = await events(stream, 100)
            last = await right.put(b"alone")  # nothing that `one` writes tells it of this
            (alone,) = await events(stream, 1)
        log = one.log.read_text()

    assert sorted(revisions) == list(range(2, 102))
    assert [revision for revision, _, _ in seen] == list(range(2, 102))
    assert alone[:2] == (last, b"alone")
    assert "through=pooler" in log
    assert list(check(url)) == []
    assert settings_of_every_connection(url) == {('"$user", public', "0", "on", "on", "0")}


async def test_a_url_for_listening_leads_past_it(url: str, direct: str) -> None:
    flags = ["--endpoint-listen", direct]
    with Datastore(url, [*flags, "--name", "one"]) as one, Datastore(url, flags) as two:
        async with (
            client_of(one.address) as left,
            client_of(two.address) as right,
            left.watching() as stream,
        ):
            await right.put(b"a")
            seen = await events(stream, 1)
        with psycopg.connect(direct) as connection:
            listening_ones = connection.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE query LIKE 'SELECT batch%' AND datname = current_database()"
            ).fetchone()

    assert [key for _, key, _ in seen] == [b"a"]
    assert listening_ones == (2,)


def test_a_url_for_listening_that_leads_through_it_is_refused(url: str) -> None:
    said = refused("--endpoint", url, "--endpoint-listen", url, *listening())

    assert "--endpoint-listen" in said
    assert "leads through a pooler" in said


def test_a_url_for_listening_to_another_database_is_refused(url: str, postgres: Postgres) -> None:
    with Core(other := postgres.url("other")):
        said = refused("--endpoint", url, "--endpoint-listen", other, *listening())

    assert "another database" in said


def test_a_server_that_ended_in_order_is_the_same_member_again(url: str) -> None:
    with Core(url) as first:
        member = first.backend.member_id
        with Core(url) as namesake:
            assert namesake.backend.member_id != member
    with Core(url) as again:
        assert again.backend.member_id in (member, namesake.backend.member_id)


def test_a_member_row_that_another_server_took_ends_this_one(url: str, direct: str) -> None:
    with Core(url) as core:
        core.commit(Put(b"a", b""))
        with psycopg.connect(direct) as connection:
            connection.execute("UPDATE member SET heartbeat = 0")
        with Core(url) as namesake:
            heard: list[None] = []
            core.backend.listen(lambda: heard.append(None), lambda: bool(heard), unseen)

            assert namesake.backend.member_id == core.backend.member_id
            assert "--name" in core.backend.broken


def test_servers_that_start_together_migrate_once(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        cores = list(pool.map(Core, [url] * 4))
    clusters = {core.backend.cluster_id for core in cores}
    for core in cores:
        core.__exit__()
    with psycopg.connect(url) as connection:
        versions = connection.execute(f"SELECT count(*) FROM {VERSION_TABLE}").fetchone()

    assert len(clusters) == 1
    assert versions == (1,)


def test_a_schema_needs_no_search_path_of_the_session(url: str, direct: str) -> None:
    with Core(f"{url}?schema=kube") as core:
        core.commit(Put(b"a", b"1"))
        core.session.shrink()
        heard: list[None] = []
        core.backend.listen(lambda: heard.append(None), lambda: bool(heard), unseen)
        live = core.live()
    with psycopg.connect(direct) as connection:
        found = connection.execute(
            "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename IN ('kv', 'member')"
        ).fetchall()

    assert [row[0] for row in live] == [b"a"]
    assert found == [("kube",)]
    assert list(check(f"{url}?schema=kube")) == []


def test_startup_options_that_it_refuses_are_explained(url: str) -> None:
    said = refused("--endpoint", f"{url}?options=-csearch_path%3Dx", *listening())

    assert "?schema=" in said
