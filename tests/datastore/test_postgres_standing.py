"""What a server finds at PostgreSQL after a loss of connections, and what it must not put up with.

It has to go on where nothing has changed, and to end itself where its commits or its member row are
gone: `broken` is what the store looks at for that.
"""

import itertools

import psycopg
import pytest

from datastore.backends.ear import unseen
from datastore.errors import StartError
from datastore.mvcc.backend import BackendBroken, BackendDown, CommitUnknown
from datastore.mvcc.model import Put
from tests.datastore.core import Core
from tests.support.postgres import Postgres

_databases = itertools.count(1)


@pytest.fixture
def name() -> str:
    return f"standing{next(_databases)}"


def admin(postgres: Postgres, *statements: str) -> None:
    """Run statements outside of any transaction, as the database's superuser."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def cut_off(name: str) -> str:
    """Return the statement that ends all connections to a database."""
    return f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"


def keep(postgres: Postgres, name: str) -> None:
    """Copy a database, as a backup or a standby that is behind from now on."""
    admin(postgres, cut_off(name), f'CREATE DATABASE "{name}-old" TEMPLATE "{name}"')


def fail_over(postgres: Postgres, name: str) -> None:
    """Put the copy in the database's place."""
    admin(
        postgres,
        cut_off(name),
        f'DROP DATABASE "{name}"',
        f'ALTER DATABASE "{name}-old" RENAME TO "{name}"',
    )


def hear_once(core: Core) -> str:
    """Let the server listen until it hears something; return what it says of its database then."""
    heard: list[None] = []
    core.backend.listen(
        lambda: heard.append(None), lambda: bool(heard or core.backend.broken), unseen
    )
    return core.backend.broken


def test_a_lost_commit_ends_a_server_that_has_seen_it(postgres: Postgres, name: str) -> None:
    with Core(postgres.url(name)) as core:
        core.commit(Put(b"a", b""))
        keep(postgres, name)
        core.commit(Put(b"b", b""))
        fail_over(postgres, name)
        with pytest.raises(BackendBroken, match="it has lost commits"):
            core.commit(Put(b"c", b""))
        with pytest.raises(BackendBroken, match="is at revision 2 and was at 3"):
            core.revision()

        assert "it has lost commits" in core.backend.broken


def test_a_lost_commit_is_noticed_though_others_went_on(postgres: Postgres, name: str) -> None:
    with Core(postgres.url(name)) as core, Core(postgres.url(name)) as other:
        core.commit(Put(b"a", b""))
        keep(postgres, name)
        core.commit(Put(b"b", b""))
        fail_over(postgres, name)
        for key in (b"x", b"y", b"z"):
            other.commit(Put(key, b""))
        assert "last batch" in hear_once(core)


def test_a_member_row_that_another_server_took_ends_this_one(postgres: Postgres, name: str) -> None:
    with Core(postgres.url(name)) as core:
        core.commit(Put(b"a", b""))
        admin(postgres, cut_off(name))
        with Core(postgres.url(name)) as namesake:
            namesake.commit(Put(b"b", b""))
            assert namesake.backend.member_id == core.backend.member_id
            with pytest.raises(BackendDown):
                core.session.last_batch()  # it connects again at the next
            with pytest.raises(CommitUnknown):
                core.session.last_batch()
            assert "--name" in hear_once(core)


def test_a_server_that_comes_back_first_keeps_its_member_row(postgres: Postgres, name: str) -> None:
    with Core(postgres.url(name)) as core:
        core.commit(Put(b"a", b""))
        admin(postgres, cut_off(name))
        said = hear_once(core)
        with Core(postgres.url(name)) as namesake:
            core.commit(Put(b"b", b""))
            assert namesake.backend.member_id != core.backend.member_id
        assert said == ""
        assert core.session.last_batch() > 0


def test_a_database_that_is_read_only_is_not_used(postgres: Postgres, name: str) -> None:
    url = postgres.url(name)
    read_only = f'ALTER DATABASE "{name}" SET default_transaction_read_only'
    with Core(url) as core:
        admin(postgres, f"{read_only} = on", cut_off(name))
        with pytest.raises(BackendDown):
            core.revision()
        with pytest.raises(BackendDown, match="read-only"):
            core.revision()
        with pytest.raises(BackendDown, match="read-only"):
            core.commit(Put(b"a", b""))
        with pytest.raises(StartError, match="read-only"):
            Core(url)
        admin(postgres, f"{read_only} = off")
        (result,) = core.commit(Put(b"a", b""))

    assert result.revision == 2
