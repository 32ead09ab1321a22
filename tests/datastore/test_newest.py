"""The rows in memory: never anything but what the database holds at the revision they name."""

from pathlib import Path

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.mvcc.model import SUB_BITS, Event, Row
from datastore.mvcc.newest import LARGEST, NewestRows


def row(key: bytes, revision: int, value: bytes = b"v", deleted: int = 0) -> Row:
    return Row(revision << SUB_BITS, key, value, revision, 1, 0, deleted, 0)


def applied(revision: int, *rows: Row, budget: int = 1 << 20) -> NewestRows:
    newest = NewestRows(budget)
    newest.apply([Event(one) for one in rows], revision)
    return newest


def test_nothing_is_answered_before_the_first_revision_is_known() -> None:
    newest = NewestRows()

    newest.learn([row(b"a", 2)], 2)

    assert newest.read(b"a") is None


def test_a_row_is_read_at_the_revision_of_the_store() -> None:
    newest = applied(7, row(b"a", 5))

    assert newest.read(b"a") == (7, row(b"a", 5))
    assert newest.read(b"b") is None


def test_a_deleted_key_has_to_be_asked_for() -> None:
    newest = applied(2, row(b"a", 2))

    newest.apply([Event(row(b"a", 3, b"", 1))], 3)

    assert newest.read(b"a") is None
    assert newest.known([b"a"]) == {}


def test_nothing_is_answered_while_the_database_is_ahead() -> None:
    newest = applied(2, row(b"a", 2))

    newest.overtaken(3)
    assert newest.read(b"a") is None

    newest.apply([Event(row(b"b", 3))], 3)
    assert newest.read(b"a") == (3, row(b"a", 2))


def test_an_older_snapshot_changes_nothing() -> None:
    newest = applied(5, row(b"a", 5))

    newest.overtaken(4)
    newest.learn([row(b"a", 4)], 4)

    assert newest.read(b"a") == (5, row(b"a", 5))


def test_what_was_read_at_the_newest_revision_is_learnt() -> None:
    newest = applied(5)

    newest.learn([row(b"a", 3)], 5)

    assert newest.read(b"a") == (5, row(b"a", 3))


def test_nothing_is_left_after_forgetting() -> None:
    newest = applied(5, row(b"a", 5))

    newest.forget()

    assert newest.read(b"a") is None
    assert newest.known([b"a"]) == {}


def test_memory_is_bounded_and_what_is_written_stays() -> None:
    newest = applied(1, budget=100_000)

    for number in range(2, 2_000):
        newest.apply(
            [Event(row(b"%d" % number, number, b"x" * 500)), Event(row(b"hot", number))], number
        )

    kept = newest.known([b"%d" % number for number in range(2, 2_000)])
    assert 50 < len(kept) < 112
    assert newest.read(b"hot") == (1_999, row(b"hot", 1_999))


def test_a_very_large_row_is_not_kept() -> None:
    newest = applied(2, row(b"a", 2))

    newest.apply([Event(row(b"a", 3, b"x" * (LARGEST + 1)))], 3)

    assert newest.read(b"a") is None


def test_every_snapshot_tells_how_far_the_database_is(tmp_path: Path) -> None:
    backend = new_backend(f"sqlite:///{tmp_path}/store.db", Identity("test", ()))
    backend.open()
    assert backend.newest is not None
    backend.newest.apply([Event(row(b"a", 0))], 0)
    session = backend.session()

    with session.snapshot() as snapshot:
        assert snapshot.state().revision == 1
    session.close()

    assert backend.newest.read(b"a") is None
    backend.close()
