"""Is the store behind a server sound? Asked after every test that used it.

A shared server's store only grows, so after each test only the revisions since the last look are
judged, which takes a few milliseconds; the whole of it when the server ends. A real etcd has no
database to look into: `Soundness` of one finds nothing.
"""

from typing import Self

from datastore.tools.check import Checker
from tests.support.datastore import Datastore


class Soundness:
    """The checker of one server's store, which remembers how far it has looked."""

    def __init__(self, server: object) -> None:
        self._checker: Checker | None = None
        self._judged = 0
        if isinstance(server, Datastore):
            self._checker = Checker(server.endpoint_url)

    def __enter__(self) -> Self:
        if self._checker is not None:
            self._checker.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._checker is not None:
            self._checker.close()

    def assert_still(self) -> None:
        """Judge the revisions since the last look."""
        if self._checker is not None:
            reached = self._checker.revision()
            self._assert_none(self._judged + 1)
            self._judged = reached

    def assert_all(self) -> None:
        """Judge the whole store."""
        if self._checker is not None:
            self._assert_none(0)

    def _assert_none(self, since: int) -> None:
        assert self._checker is not None
        found = [str(finding) for finding in self._checker.findings(since)]
        assert not found, "the store is not sound:\n" + "\n".join(found[:20])
