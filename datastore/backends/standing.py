"""What this process may rely on at its database, and what ends it when that turns out to be gone.

Shared by the sessions of a server and its listener. Two things must hold for as long as the server
runs, and it ends itself when one does not (`broken`, which the store looks at every second):

* What has been committed stays committed. A database that was restored, or failed over to a standby
  that lacked the last commits, would make watchers miss what is written next under revisions that
  they have seen. So no state may be older than one that was read before it, and the member row may
  not tell of an older batch than the last that was acknowledged.
* The member row is this process's own. The number of the last batch in it is what tells after a
  broken COMMIT whether that was done, so it begins with a number of the process (`BATCH_BITS`), and
  another one's says nothing.
"""

from __future__ import annotations

import logging
import secrets

from datastore.mvcc.backend import BackendBroken, CommitUnknown

log = logging.getLogger(__name__)
BATCH_BITS = 40  # of a batch's number; those above are the process's


class Standing:
    """See the module. Its numbers only grow, and any thread may note them."""

    def __init__(self) -> None:
        self.cluster_id = 0
        self.member_id = 0
        self.first_batch = (secrets.randbits(62 - BATCH_BITS) + 1) << BATCH_BITS
        self.acknowledged = self.first_batch  # the last batch that was
        self.reached = 0  # the newest revision that was committed for sure
        self.committed = 0  # that of them which this server has committed
        self.deleted = 0  # rows of history, by this server, whose room may be swept
        self.broken = ""

    @property
    def signature(self) -> str:
        """What this server signs its notices with: the store, of which there may be several."""
        return f"{self.cluster_id:x}.{self.member_id:x}"

    def concerns(self, notice: str) -> bool:
        """Say whether a notice may be of a commit that this server does not know of."""
        signature = notice.partition(" ")[2]
        of_this_store = signature.startswith(f"{self.cluster_id:x}.") or not signature
        return of_this_store and signature != self.signature

    def number(self, batch: int) -> int:
        """Return what the member row says after a batch."""
        return self.first_batch + batch

    def acknowledge(self, batch: int, revision: int) -> None:
        """Note that a batch has been committed."""
        self.acknowledged = self.number(batch)
        self.reached = max(self.reached, revision)
        self.committed = max(self.committed, revision)

    def read(self, reached: int, revision: int) -> None:
        """Note the revision of a state; BackendBroken if `reached`, from before, is above it."""
        if revision < reached:
            self.give_up(
                f"the database is at revision {revision} and was at {reached}: it has lost commits"
            )
            raise BackendBroken(self.broken)
        self.reached = max(self.reached, revision)

    def batch_of(self, number: int | None) -> int:
        """Return the batch that the member row tells of; CommitUnknown if it is not ours."""
        if number is None or number >> BATCH_BITS != self.first_batch >> BATCH_BITS:
            raise CommitUnknown("the member row is another server's")
        return number - self.first_batch

    def judge_row(self, number: int | None, acknowledged: int, *, claimed: bool) -> None:
        """Look at the member row's number; `acknowledged` is what was so before it was read.

        Who has claimed the row may find another's number in it: that one will find it has no claim.
        """
        ours = number is not None and number >> BATCH_BITS == self.first_batch >> BATCH_BITS
        if number is None or (ours and number < acknowledged):
            self.give_up(
                "the database does not know this server's last batch: it has lost commits, or this "
                "server was gone for so long that another one removed its member row"
            )
        elif not ours and not claimed:
            self.give_up(
                "another server of the same name took this one's place while the database was "
                "away: give each its own --name"
            )

    def give_up(self, reason: str) -> None:
        """End the server."""
        if not self.broken:
            log.critical("the database cannot be relied on reason=%s", reason)
        self.broken = self.broken or reason
