"""The time of revisions, for people who look into the database: `moment` in `backends/schema.py`.

A batch that makes revisions writes down the second it is in, on the store's clock, and its first
revision; unless there is a row of that second already, by this server or another. So each revision
was made within the second that follows the time of the last row up to it. The row goes with what
the batch writes anyway, and all but one batch a second have nothing to add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.mvcc.backend import Moment

if TYPE_CHECKING:
    from datastore.mvcc.batch import BatchState


class Moments:
    """What one server has written down; `told` is the last second that is in the database."""

    def __init__(self) -> None:
        self._told = 0

    def add(self, batch: BatchState) -> None:
        """Let a batch write its moment with its other changes, if it is a new one."""
        second = batch.now // 1000
        if batch.events and second != self._told:
            batch.changes.moment = Moment(second, batch.before.revision + 1)

    def committed(self, batch: BatchState) -> None:
        """Note that a batch is in the database."""
        if batch.events:
            self._told = batch.now // 1000
