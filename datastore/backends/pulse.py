"""What servers of one database see of each other while nothing happens, in one statement each.

Servers look several times a second, so a look has to be cheap: what an ear asks about commits is
extended by the columns of `Pulse.sight`, which tell whether there is anything to do (`Sighting`).
A server says that it is alive, and that it keeps the lock, in a statement that is a transaction of
its own and does not wait for the store's lock: neither changes who holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from datastore.mvcc.backend import Sighting
from datastore.mvcc.leadership import LOCK
from datastore.mvcc.membership import ALIVE_MS
from datastore.mvcc.model import Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


# By the dialect: milliseconds as of this very moment, not of the transaction's beginning.
CLOCKS = {
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
    "mysql": "CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)",
}


class Pulse(NamedTuple):
    """The statements of a dialect: how it writes a table's name, and its clock in milliseconds."""

    table: Callable[[str], str]
    now: str

    @property
    def sight(self) -> str:
        """The columns of a look, which `sighting` reads."""
        lock = f"FROM {self.table('lock')} WHERE name = '{LOCK}'"
        meta = f"FROM {self.table('meta')}"
        return (
            f"{self.now}, (SELECT compact_revision {meta}), (SELECT pruned_revision {meta}), "
            f"(SELECT MIN(deadline) FROM {self.table('lease')}), "
            f"(SELECT owner {lock}), (SELECT until {lock})"
        )

    def alive(self, member: int) -> str:
        """Return the statement that says that a server is alive."""
        return f"UPDATE {self.table('member')} SET heartbeat = {self.now} WHERE id = {member}"

    def is_alive(self, member: int) -> str:
        """Return the query that finds a server if it has said lately that it is alive."""
        lately = f"heartbeat > {self.now} - {ALIVE_MS}"
        return f"SELECT id FROM {self.table('member')} WHERE id = {member} AND {lately}"

    def let_go(self, member: int) -> str:
        """Return the statement after which a server counts as alive no more; AND may follow."""
        gone = f"heartbeat = heartbeat - {ALIVE_MS}"
        return f"UPDATE {self.table('member')} SET {gone} WHERE id = {member}"

    def keep(self, member: int, milliseconds: int) -> str:
        """Return the statement that keeps the lock for so long, if the server still holds it."""
        return (
            f"UPDATE {self.table('lock')} SET until = {self.now} + {milliseconds} "
            f"WHERE name = '{LOCK}' AND owner = {member} AND until > {self.now}"
        )


def sighting(columns: Sequence[Any]) -> Sighting:
    """Return what the columns of a look tell."""
    now, compacted, pruned, deadline, owner, until = columns
    lock = None if owner is None else Lock(LOCK, owner, until)
    return Sighting(now, compacted, pruned, deadline, lock)
