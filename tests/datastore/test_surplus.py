"""What a SQLite file gives back by itself: pages that nobody needed for long, and an idle log."""

import random
import sqlite3
from pathlib import Path

from datastore.backends.sqlite_checkpoint import IDLE_LOOKS
from datastore.backends.sqlite_surplus import LEAST, LOOKS, RESERVE, Surplus
from datastore.backends.sqlite_upkeep import STEP_PAGES
from datastore.mvcc.model import Put
from tests.datastore.core import Core


def test_free_pages_are_a_surplus_once_a_whole_period_has_seen_them() -> None:
    surplus = Surplus()

    assert {surplus.look(1_000, 600) for _ in range(LOOKS)} == {0}
    assert surplus.look(1_000, 600) == 600 - 400 // RESERVE


def test_pages_that_are_needed_now_and_then_are_none() -> None:
    surplus = Surplus()
    found = {
        surplus.look(1_000, 0 if look % (LOOKS // 2) == 0 else 900) for look in range(5 * LOOKS)
    }

    assert found == {0}


def test_a_few_pages_are_not_worth_it() -> None:
    surplus = Surplus()
    free = LEAST + 100 // RESERVE - 1

    assert {surplus.look(100 + free, free) for _ in range(3 * LOOKS)} == {0}


def test_a_file_gives_back_what_it_no_longer_needs(tmp_path: Path) -> None:
    path, log = tmp_path / "store.db", tmp_path / "store.db-wal"
    noise = random.Random(1)
    with Core(f"sqlite:///{path}") as core:
        for _ in range(40):
            core.commit(*(Put(b"%d" % n, noise.randbytes(4_000)) for n in range(100)))
        core.compact(core.revision())
        core.prune(1_000)
        session = core.backend.session()

        def look(times: int) -> None:
            for _ in range(times):
                core.backend.housekeep(session)

        look(IDLE_LOOKS + 2)
        large = path.stat().st_size
        assert log.stat().st_size == 0
        look(2 * LOOKS + large // 4_096 // STEP_PAGES + 2)
        session.close()

        assert large > 15 << 20
        assert path.stat().st_size < 2 << 20
        assert log.stat().st_size == 0
        assert len(core.live()) == 100
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
