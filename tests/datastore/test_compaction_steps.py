"""Compaction in steps that may end inside one revision: sound after each, and after a crash."""

from pathlib import Path
from typing import Any

import pytest

from datastore.mvcc.model import DeleteRange, Put
from datastore.mvcc.pruning import FIRST_PART, Pruned
from datastore.mvcc.requests import Place, Prune
from datastore.tools.check import Checker
from tests.datastore.core import Core

MANY = 6
DELETED = MANY + 2  # the revision of the delete
NO_TIME = 1e-9
ALL = 1_000


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store in which one revision deletes MANY keys; some are put again after it."""
    url = f"sqlite:///{tmp_path}/store.db"
    with Core(url) as core:
        core.commit(*[Put(b"k%02d" % n, b"v") for n in range(MANY)])
        core.commit(DeleteRange(b"k", b"l"))
        core.commit(*[Put(b"k%02d" % n, b"again") for n in range(0, MANY, 3)])
    return url


def _step(core: Core, place: Place | None, limit: int = 1, **options: Any) -> Pruned:
    (pruned,) = core.commit(Prune(limit, place, **options))
    assert isinstance(pruned, Pruned), pruned
    return pruned


def _contents(core: Core) -> tuple[Any, ...]:
    with core.session.snapshot() as snapshot:
        state = snapshot.state()
        rows = snapshot.history(0, 1 << 62, 0)
        heads = snapshot.heads([b"k%02d" % n for n in range(MANY)])
    return state.compact_revision, state.pruned_revision, rows, sorted(heads.items())


def _whole(url: str, *revisions: int) -> tuple[Any, ...]:
    """Return what a copy of the store holds after compactions in one step each."""
    path = Path(url.removeprefix("sqlite:///"))
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    with Core(f"sqlite:///{copy}") as core:
        for revision in revisions:
            core.compact(revision)
            assert _step(core, None, ALL).done
        return _contents(core)


@pytest.mark.parametrize("revision", [DELETED, DELETED + 2])
def test_a_store_is_clean_after_every_event(url: str, revision: int) -> None:
    expected = _whole(url, revision)
    steps = 0
    with Core(url) as core, Checker(url) as checker:
        core.compact(revision)
        place, done = None, False
        while not done:
            _, done, place = _step(core, place)
            steps += 1
            assert list(checker.findings()) == []
        assert _contents(core) == expected
    assert steps > 2 * MANY


@pytest.mark.parametrize("steps", [MANY + 3, 2 * MANY])
def test_a_crash_inside_a_revision_loses_nothing(url: str, steps: int) -> None:
    """The next process does not know the place; it goes over that revision again."""
    expected = _whole(url, DELETED)
    with Core(url) as core:
        core.compact(DELETED)
        place = None
        for _ in range(steps):
            place = _step(core, place).place
    with Core(url) as core, Checker(url) as checker:
        place, done = None, False
        while not done:
            _, done, place = _step(core, place)
            assert list(checker.findings()) == []
        assert _contents(core) == expected


def test_a_compaction_further_on_takes_what_had_to_stay(url: str) -> None:
    """Inside the revision compacted to, tombstones stay; a place there is of no use later."""
    further = DELETED + 2
    expected = _whole(url, further)
    with Core(url) as core, Checker(url) as checker:
        core.compact(DELETED)
        place, done = None, False
        while place is None or place.event < (DELETED << 20) + MANY // 2:
            place = _step(core, place).place
        core.compact(further)
        while not done:
            _, done, place = _step(core, place)
            assert list(checker.findings()) == []
        assert _contents(core) == expected


def test_a_step_without_time_still_gets_on(url: str) -> None:
    with Core(url) as core:
        core.compact(DELETED)
        place, done, steps = None, False, 0
        while not done:
            reached, done, place = _step(core, place, ALL, seconds=NO_TIME)
            steps += 1
    assert reached == DELETED
    assert steps == 2 * MANY // FIRST_PART + 1


def test_a_step_after_the_last_changes_nothing(url: str) -> None:
    with Core(url) as core:
        core.compact(DELETED)
        assert _step(core, None, ALL).done
        after = _contents(core)
        assert _step(core, None).done
        assert _contents(core) == after


def test_a_step_goes_over_what_it_owes_however_long_that_takes(url: str) -> None:
    with Core(url) as core:
        core.compact(DELETED + 2)
        quick = _step(core, None, ALL, seconds=NO_TIME)
        assert not quick.done
        assert _step(core, quick.place, ALL, seconds=NO_TIME, least=ALL).done
