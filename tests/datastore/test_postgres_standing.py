"""What a server finds at PostgreSQL after a loss of connections, and what it must not put up with.

It has to go on where nothing has changed, and to end itself where its commits or its member row are
gone: `broken` is what the store looks at for that.
"""

import itertools

import pytest

from datastore.errors import StartError
from datastore.mvcc.backend import BackendBroken, BackendDown
from datastore.mvcc.model import Put
from tests.datastore.core import Core
from tests.datastore.standing import cut_off, hear_once
from tests.support.postgres import Postgres
from tests.support.wait import wait_until

_databases = itertools.count(1)


@pytest.fixture
def name() -> str:
    return f"standing{next(_databases)}"


def keep(postgres: Postgres, name: str) -> None:
    """Copy a database, as a backup or a standby that is behind from now on."""
    cut_off(postgres, name)
    postgres.run(f'CREATE DATABASE "{name}-old" TEMPLATE "{name}"')


def fail_over(postgres: Postgres, name: str) -> None:
    """Put the copy in the database's place."""
    cut_off(postgres, name)
    postgres.run(
        f'DROP DATABASE "{name}"',
        f'ALTER DATABASE "{name}-old" RENAME TO "{name}"',
    )


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


def _commits(core: Core) -> bool:
    try:
        core.commit(Put(b"a", b""))
    except BackendDown:
        return False
    return True


def test_a_database_that_is_read_only_is_not_used(postgres: Postgres, name: str) -> None:
    url = postgres.url(name)
    read_only = f'ALTER DATABASE "{name}" SET default_transaction_read_only'
    with Core(url) as core:
        postgres.run(f"{read_only} = on")
        cut_off(postgres, name)
        with pytest.raises(BackendDown):
            core.revision()
        with pytest.raises(BackendDown, match="read-only"):
            core.revision()
        with pytest.raises(BackendDown, match="read-only"):
            core.commit(Put(b"a", b""))
        with pytest.raises(StartError, match="read-only"):
            Core(url)
        postgres.run(f"{read_only} = off")
        wait_until(lambda: _commits(core), "the end of the pause between attempts")
        assert core.revision() == 2
