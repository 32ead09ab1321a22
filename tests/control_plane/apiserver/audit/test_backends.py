"""Where audit events go: files that are put aside, batches, and events that are too large."""

import asyncio
import datetime
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from control_plane.apiserver.audit.auditor import BackendError
from control_plane.apiserver.audit.backends import (
    BatchBackend,
    Batching,
    DirectBackend,
    Truncation,
)
from control_plane.apiserver.audit.counts import AuditCounts
from control_plane.apiserver.audit.log_file import MEGABYTE, LogFile, Rotation

BEGIN = datetime.datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=datetime.UTC)
WHOLE = Truncation()


class Clock:
    """Each look is a second later."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> datetime.datetime:
        self.seconds += 1
        return BEGIN + datetime.timedelta(seconds=self.seconds - 1)


class Taken:
    """A target that remembers batches, or takes none."""

    def __init__(self, error: BackendError | None = None) -> None:
        self.batches: list[list[Any]] = []
        self.error = error
        self.closed = False
        self.has_seven = asyncio.Event()

    async def deliver(self, events: Sequence[Any]) -> None:
        if self.error:
            raise self.error
        self.batches.append(list(events))
        if sum(map(len, self.batches)) >= 7:
            self.has_seven.set()

    async def close(self) -> None:
        self.closed = True


def event(number: int) -> dict[str, Any]:
    return {"auditID": str(number)}


def filled(path: Path, rotation: Rotation, files: int) -> list[str]:
    """Fill `files` files of half a megabyte's lines; return the names beside the newest one."""
    log = LogFile(str(path), rotation, Clock())
    line = b"x" * (MEGABYTE // 2 - 1) + b"\n"
    for _ in range(2 * files):
        log.write(line)
    return sorted(one.name for one in path.parent.iterdir() if one != path)


def test_a_full_file_is_put_aside_under_its_moment(tmp_path: Path) -> None:
    names = filled(tmp_path / "audit.log", Rotation(1), 3)
    assert names == ["audit-2026-01-02T03-04-05.678.log", "audit-2026-01-02T03-04-06.678.log"]
    assert (tmp_path / "audit.log").stat().st_size == MEGABYTE
    assert (tmp_path / "audit.log").stat().st_mode & 0o777 == 0o600


def test_old_files_go_by_number_and_age(tmp_path: Path) -> None:
    (tmp_path / "audit-2025-12-01T00-00-00.000.log").touch()
    (tmp_path / "audit-notes.log").touch()
    names = filled(tmp_path / "audit.log", Rotation(1, max_days=7), 2)
    assert names == ["audit-2026-01-02T03-04-05.678.log", "audit-notes.log"]
    names = filled(tmp_path / "audit.log", Rotation(1, max_backups=1), 3)
    assert len(names) == 2


def test_old_files_are_packed(tmp_path: Path) -> None:
    (name,) = filled(tmp_path / "audit.log", Rotation(1, compresses=True), 2)
    assert name == "audit-2026-01-02T03-04-05.678.log.gz"
    assert len(gzip.decompress((tmp_path / name).read_bytes())) == MEGABYTE


def test_a_file_that_is_there_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "audit.log"
    for number in range(2):
        asyncio.run(LogFile(str(path), Rotation(), Clock()).deliver([event(number)]))
    assert [json.loads(line) for line in path.read_text().splitlines()] == [event(0), event(1)]


async def test_batches_are_of_the_size_that_was_asked_for() -> None:
    target = Taken()
    backend = BatchBackend(target, WHOLE, Batching(10, 3, 0.0), AuditCounts().lost)
    for number in range(7):
        await backend.take(event(number))
    task = asyncio.create_task(backend.run())
    async with asyncio.timeout(60):
        await target.has_seven.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [len(batch) for batch in target.batches] == [3, 3, 1]


async def test_what_waits_is_delivered_at_the_end() -> None:
    target = Taken()
    backend = BatchBackend(target, WHOLE, Batching(10, 400, 3600.0), AuditCounts().lost)
    task = asyncio.create_task(backend.run())
    for number in range(3):
        await backend.take(event(number))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await backend.close()
    assert [one for batch in target.batches for one in batch] == [event(n) for n in range(3)]
    assert target.closed


async def test_a_full_buffer_takes_no_more() -> None:
    backend = BatchBackend(Taken(), WHOLE, Batching(2, 1, 0.0), AuditCounts().lost)
    await backend.take(event(0))
    await backend.take(event(1))
    with pytest.raises(BackendError, match="the audit buffer is full"):
        await backend.take(event(2))


async def test_large_events_are_cut_down_or_left_out() -> None:
    target = Taken()
    backend = DirectBackend(target, Truncation(True, 200), is_strict=False)
    await backend.take({**event(1), "requestObject": {"data": "x" * 500}})
    assert target.batches == [[{"auditID": "1", "annotations": {"audit.k8s.io/truncated": "true"}}]]
    with pytest.raises(BackendError, match="larger than 200 bytes"):
        await backend.take({"requestURI": "x" * 500})


async def test_large_batches_are_divided() -> None:
    target = Taken()
    backend = BatchBackend(
        target, Truncation(True, 1000, 600), Batching(10, 10, 0.0), AuditCounts().lost
    )
    for number in range(3):
        await backend.take({**event(number), "requestURI": "x" * 250})
    await backend.close()
    assert [len(batch) for batch in target.batches] == [2, 1]


async def test_what_is_lost_is_counted_by_who_has_lost_it() -> None:
    counts = AuditCounts()
    error = BackendError("no space left", "log")
    backend = BatchBackend(Taken(error), WHOLE, Batching(10, 2, 0.0), counts.lost)
    for number in range(3):
        await backend.take(event(number))
    await backend.close()
    families = {family.name: family for family in counts.look()()}
    (sample,) = families["apiserver_audit_error"].samples
    assert (sample.labels, sample.value) == ({"plugin": "log"}, 3)
