"""The room ahead in the write-ahead log: there before it is needed, and nothing to a reader."""

import shutil
from pathlib import Path

import pytest

from datastore.backends import sqlite
from datastore.backends.sqlite_log import AHEAD
from datastore.mvcc import housekeeping
from datastore.mvcc.model import Put, RangeQuery
from datastore.mvcc.store import Store
from tests.datastore.core import Core
from tests.datastore.opened import opened


async def _write(store: Store, keys: range) -> None:
    for number in keys:
        await store.put(Put(b"key-%d" % number, b"v" * 3_000, 0), 3_000)


@pytest.mark.parametrize("keys", [1, 3, 700])
async def test_a_log_that_ends_in_room_holds_every_commit(tmp_path: Path, keys: int) -> None:
    """What lies on the disk after a kill is the file and the log as they are at that moment."""
    async with opened(tmp_path / "live.db") as store:
        await _write(store, range(keys))
        for name in ("live.db", "live.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / name.replace("live", "killed"))
        assert (tmp_path / "killed.db-wal").read_bytes()[-512:] == bytes(512)

    async with opened(tmp_path / "killed.db") as store:
        found = await store.range(RangeQuery(b"key-", b"key.", count_only=True))
    assert found.total == keys


async def test_the_file_is_made_longer_only_now_and_then(tmp_path: Path) -> None:
    log = tmp_path / "store.db-wal"
    sizes = []
    async with opened(tmp_path / "store.db") as store:
        await _write(store, range(1))
        for number in range(40):
            await _write(store, range(number, number + 1))
            sizes.append(log.stat().st_size)
    assert len(set(sizes)) <= 2
    assert sizes[-1] >= AHEAD


async def test_a_long_log_gives_its_space_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is short again after one look at it, and so are the looks after that."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_BYTES", 0)
    monkeypatch.setattr(sqlite, "TRUNCATE_BYTES", AHEAD)
    log = tmp_path / "store.db-wal"
    with Core(f"sqlite:///{tmp_path}/store.db") as core:
        core.commit(*[Put(b"k%d" % n, b"v" * 10_000, 0) for n in range(200)])
        assert log.stat().st_size > AHEAD
        core.backend.housekeep(core.session)
        assert log.stat().st_size == 0
        core.commit(Put(b"last", b"v", 0))
        assert len(core.live()) == 201


async def test_the_log_of_a_store_that_never_rests_starts_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write comes behind the last: a checkpoint alone never finds the log at its end."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_BYTES", 0)
    monkeypatch.setattr(housekeeping, "SECONDS", 0.01)
    written, log = 24 << 20, tmp_path / "store.db-wal"
    async with opened(tmp_path / "store.db") as store:
        for number in range(written // 20_000):
            await store.put(Put(b"key-%d" % (number % 10), bytes(20_000), 0), 20_000)
        assert log.stat().st_size < written / 2
