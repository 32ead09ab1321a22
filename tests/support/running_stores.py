"""The stores that API servers are tested over, by name; each runs until its `with` ends."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.postgres import Postgres


class PostgresStore(AbstractContextManager["PostgresStore"]):
    """A datastore over a PostgreSQL of its own."""

    def __init__(self) -> None:
        self._postgres = Postgres()
        self._datastore = Datastore(self._postgres.url("tapir"))
        self.endpoint = self._datastore.endpoint

    def __exit__(self, *_: object) -> None:
        self._datastore.stop()
        self._postgres.stop()


Store = Datastore | Etcd | PostgresStore
STORES: Mapping[str, Callable[[], AbstractContextManager[Store]]] = {
    "etcd": Etcd,
    "sqlite": Datastore,
    "postgresql": PostgresStore,
}
