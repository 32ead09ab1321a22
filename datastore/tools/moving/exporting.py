"""An export into an etcd: see that it holds nothing else, put what is missing, compare.

Or into an etcd snapshot, which is a file that is written anew.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, NamedTuple

from datastore.tools.moving.comparison import Difference, differences, missing
from datastore.tools.moving.importing import LOST_LEASE_SECONDS
from datastore.tools.moving.record import CannotMove, SourceCompacted, batched, shown
from datastore.tools.moving.snapshot_source import SnapshotSource
from datastore.tools.moving.snapshot_target import write_snapshot
from datastore.tools.moving.store_source import StoreSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datastore.tools.moving.etcd_target import EtcdTarget
    from datastore.tools.moving.progress import Progress
    from datastore.tools.moving.record import Record, Source

KEPT = ("value", "lease")


class Exported(NamedTuple):
    """What an export has done, and the first differences between both sides."""

    revision: int  # of the target
    keys: int
    leases: int
    before: int  # keys of them that were there already
    differences: list[Difference]


class Export:
    """One export of an open source into an open etcd."""

    def __init__(self, source: Source, target: EtcdTarget, progress: Progress) -> None:
        self._source = source
        self._target = target
        self._progress = progress

    def run(self, most: int) -> Exported:
        """Do it; at most `most` differences are returned.

        CannotMove when a side cannot be used, or the target has keys of somebody else.
        """
        try:
            total = self._source.pin(self._source.newest())
            before = self._target.pin(self._target.newest())
            if before:
                self._refuse_others(before)
            leases = self._copy(total, before)
            revision = self._target.newest()
            self._target.pin(revision)
            return Exported(revision, total, leases, before, self._compare(total, most))
        except SourceCompacted as error:
            raise CannotMove(
                f"{self._source.name} or {self._target.name} was compacted before all of it was "
                "read: stop their clients, and run the same command to go on"
            ) from error
        finally:
            self._progress.end()

    def _refuse_others(self, keys: int) -> None:
        """See that what the target holds is of this source, from an export that was interrupted."""
        self._progress.begin("looking", keys)
        for found in differences(self._read(), flat(self._target.records(b"")), ("value",)):
            if not found.missing:
                raise CannotMove(
                    f"{self._target.name} holds something else: {shown(found.key)} {found.what}: "
                    "give an empty etcd"
                )

    def _copy(self, total: int, before: int) -> int:
        """Put what is missing; return how many leases there are."""
        leases = self._source.leases()
        self._target.grant(leases)
        self._progress.begin("copying", total, before)
        there = flat(self._target.records(b""))
        for batch in batched(missing(flat(self._source.records(b"")), there)):
            lost = {record.lease for record in batch} - leases.keys() - {0}
            self._target.grant(dict.fromkeys(lost, LOST_LEASE_SECONDS))
            self._target.put(batch)
            self._progress.advance(len(batch))
        return len(leases)

    def _compare(self, total: int, most: int) -> list[Difference]:
        self._progress.begin("comparing", total)
        return list(islice(differences(self._read(), flat(self._target.records(b"")), KEPT), most))

    def _read(self) -> Iterator[Record]:
        for record in flat(self._source.records(b"")):
            yield record
            self._progress.advance(1)


def flat(batches: Iterator[list[Record]]) -> Iterator[Record]:
    """Yield the records of batches."""
    for batch in batches:
        yield from batch


def export_store(
    source: Source, target: EtcdTarget, progress: Progress, *, without_users: bool, most: int
) -> Exported:
    """Export a source into an etcd."""
    with source:
        if source.auth_on and not without_users:
            raise CannotMove(
                f"{source.name} has users, which are not exported: --without-users takes the keys "
                "alone, and lets everybody in until users are made"
            )
        with target:
            return Export(source, target, progress).run(most)


def export_snapshot(source: Source, path: Path, progress: Progress, *, most: int) -> Exported:
    """Export a store of ours into an etcd snapshot; the file gets its name when it is right."""
    if not isinstance(source, StoreSource):
        raise CannotMove(f"{source.name} is no store of this program: import it first")
    descriptor, part = mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)
    try:
        with source, os.fdopen(descriptor, "w+b") as file:
            revision = source.newest()
            total = source.pin(revision)
            progress.begin("copying", source.count_events())
            write_snapshot(source, file, progress)
            file.flush()
            os.fsync(descriptor)
            found = _compared(source, SnapshotSource(Path(part)), most)
            leases = len(source.leases())
        if not found:
            os.replace(part, path)
        return Exported(revision, total, leases, 0, found)
    except OSError as error:
        raise CannotMove(f"{error.filename or path}: {error.strerror}") from error
    finally:
        progress.end()
        with suppress(FileNotFoundError):
            os.unlink(part)


def _compared(source: StoreSource, written: SnapshotSource, most: int) -> list[Difference]:
    with written:
        if written.newest() != source.newest() or written.leases() != source.leases():
            return [Difference(b"", "revision or leases differ")]
        pairs = differences(flat(source.records(b"")), flat(written.records(b"")))
        return list(islice(pairs, most))
