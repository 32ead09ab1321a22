"""The short form of `make growth`: the same bound for a fiftieth of a day."""

from pathlib import Path

import pytest

from datastore.backends.sqlite import CHECKPOINT_BYTES
from tests.growth.churn import Plan
from tests.growth.databases import sqlite_at
from tests.growth.run import BOUND, grow


@pytest.mark.timeout(240)
async def test_a_file_stays_small(tmp_path: Path) -> None:
    plan = Plan(updates=20_000, interval=1_000)

    grown = await grow(sqlite_at(tmp_path / "store.db"), plan, rest_seconds=0)

    assert grown.garbage == 0
    assert grown.rested.store <= BOUND * grown.kept
    assert grown.rested.beside <= CHECKPOINT_BYTES
    assert grown.defragmented.store < grown.highest.store
    assert grown.defragmented.beside == 0
