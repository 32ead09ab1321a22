"""A database of somebody else: a user with few rights, a schema of its own, neighbours."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import pytest

from datastore.backends.migration import VERSION_TABLE
from datastore.errors import StartError
from datastore.mvcc.model import Put
from datastore.tools.check import check
from tests.datastore.client import client_of, events
from tests.datastore.core import Core
from tests.support.datastore import Datastore
from tests.support.postgres import Postgres

_databases = itertools.count(1)


class Given(NamedTuple):
    """A database whose owner is not the user, and who may do what there."""

    url: str
    user: str
    admin: psycopg.Connection

    @property
    def users(self) -> str:
        """The URL of the user."""
        return self.url.replace("postgres@", f"{self.user}@")

    def run(self, statement: str) -> None:
        """Run a statement as the superuser; {user} stands for the user."""
        self.admin.execute(statement.replace("{user}", f'"{self.user}"').encode())

    def refusal(self, parameters: str = "") -> str:
        """Return why the user's server does not start."""
        with pytest.raises(StartError) as refused:
            Core(self.users + parameters)
        return str(refused.value)

    def mend(self, said: str) -> None:
        """Do as a refusal says."""
        self.run(said.rpartition(": ")[2])


@pytest.fixture
def given(postgres: Postgres) -> Iterator[Given]:
    number = next(_databases)
    url = postgres.url(f"given{number}")
    with psycopg.connect(url, autocommit=True) as admin:
        found = Given(url, f"guest-{number}", admin)
        found.run("CREATE ROLE {user} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
        found.run("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        found.run(f'REVOKE ALL ON DATABASE "given{number}" FROM PUBLIC')
        yield found


def test_every_refusal_names_the_statement_that_mends_it(given: Given) -> None:
    connect = given.refusal()
    given.mend(connect)
    schema = given.refusal()
    given.mend(schema)
    with Core(given.users) as core:
        core.commit(Put(b"a", b"1"))

    assert connect.endswith(f'GRANT CONNECT ON DATABASE "{given.url.rpartition("/")[2]}" TO '
                            f'"{given.user}"')  # fmt: skip
    assert schema.endswith(f'GRANT USAGE, CREATE ON SCHEMA "public" TO "{given.user}"')
    assert list(check(given.users)) == []


def test_a_schema_of_its_own_is_all_that_a_user_needs(given: Given) -> None:
    given.mend(given.refusal("?schema=kube-1"))
    said = given.refusal("?schema=kube-1")
    given.mend(said)
    with Core(f"{given.users}?schema=kube-1") as core:
        core.commit(Put(b"a", b"1"))
    tables = given.admin.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")

    assert said.endswith(f'CREATE SCHEMA "kube-1" AUTHORIZATION "{given.user}"')
    assert tables.fetchone() == (0,)


def test_a_schema_is_made_where_that_is_allowed(given: Given) -> None:
    with Core(f"{given.url}?schema=made") as core:
        core.commit(Put(b"a", b"1"))
    with Core(f"{given.url}?schema=made") as again:
        assert [row[0] for row in again.live()] == [b"a"]


def test_a_user_of_tables_that_another_one_made(given: Given) -> None:
    """What a server does day by day needs no right to make anything."""
    Core(given.url).__exit__()
    given.mend(given.refusal())
    given.run("GRANT USAGE ON SCHEMA public TO {user}")
    said = given.refusal()
    given.mend(said)
    with Core(given.users) as core:
        results = core.commit(Put(b"a", b"1"))
        core.compact(results[0].revision)
        core.prune()
    given.run(f"UPDATE {VERSION_TABLE} SET version_num = '0003'")
    newer = given.refusal()

    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA" in said
    assert "as that role once" in newer or "GRANT USAGE, CREATE" in newer


async def test_stores_side_by_side_do_not_know_each_other(postgres: Postgres) -> None:
    url = postgres.url("side-by-side")
    with Datastore(f"{url}?schema=one") as one, Datastore(f"{url}?schema=two") as two:
        async with (
            client_of(one.address) as left,
            client_of(two.address) as right,
            left.watching() as stream,
        ):
            await asyncio.gather(*(right.put(b"b") for _ in range(20)))
            revision = await left.put(b"a")
            seen = await events(stream, 1)
            headers = [(await side.everything()).header for side in (left, right)]

    assert seen[0][:2] == (revision, b"a")
    assert [header.revision for header in headers] == [2, 21]
    assert headers[0].cluster_id != headers[1].cluster_id
    for schema in ("one", "two"):
        assert list(check(f"{url}?schema={schema}")) == []


def test_a_store_beside_foreign_tables(postgres: Postgres) -> None:
    url = postgres.url("beside")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE TABLE recipes (name TEXT)")
    with Core(f"{url}?schema=tapir") as core:
        core.commit(Put(b"a", b"1"))
    with pytest.raises(StartError, match="recipes"):
        Core(url)
