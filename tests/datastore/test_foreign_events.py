"""What a batch reads, under the store's lock, of the events that other servers committed."""

import itertools
from collections.abc import Iterator

import pytest

from datastore.mvcc.committer import FOREIGN
from datastore.mvcc.model import Put
from tests.datastore.core import Core
from tests.support.postgres import Postgres

_databases = itertools.count(1)


@pytest.fixture
def servers(postgres: Postgres) -> Iterator[tuple[Core, Core]]:
    url = postgres.url(f"foreign{next(_databases)}")
    with Core(url) as here, Core(url) as there:
        yield here, there


def test_a_few_go_to_the_hub_with_the_batch(servers: tuple[Core, Core]) -> None:
    here, there = servers
    there.commit(*[Put(b"%d" % n, b"") for n in range(FOREIGN)])

    outcome = here.attempt(Put(b"own", b""))

    assert outcome.first == 1
    assert [event.revision for event in outcome.events] == list(range(2, FOREIGN + 3))


def test_more_are_left_to_the_hub(servers: tuple[Core, Core]) -> None:
    here, there = servers
    there.commit(*[Put(b"%d" % n, b"") for n in range(FOREIGN + 1)])

    outcome = here.attempt(Put(b"own", b""))

    assert outcome.first == FOREIGN + 2
    assert [event.row.key for event in outcome.events] == [b"own"]


def test_those_that_the_hub_has_are_not_read_again(servers: tuple[Core, Core]) -> None:
    here, there = servers
    there.commit(Put(b"heard", b""))
    there.commit(Put(b"new", b""))
    here.has_heard(2)

    outcome = here.attempt(Put(b"own", b""))

    assert outcome.first == 2
    assert [event.row.key for event in outcome.events] == [b"new", b"own"]
