"""Series of snapshots: which are kept, and that nothing else is ever deleted."""

import fcntl
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from datastore.tools.snapshot_series import CannotRotate, Series, series_of
from tests.datastore.damage import Said, run
from tests.support.datastore import Datastore

NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)


def made(series: Series, *days: int) -> list[Path]:
    """What looks like snapshots of those days."""
    paths = [series.name(NOON + timedelta(days=day)) for day in days]
    for path in paths:
        path.write_bytes(b"SQLite format 3\0".ljust(1024, b"x") + bytes(32))
    return paths


def series_in(path: Path) -> Series:
    series = series_of(path)
    assert series is not None
    return series


def test_the_name_has_the_time_in_utc(tmp_path: Path) -> None:
    here = NOON.astimezone(timezone(timedelta(hours=5)))

    assert series_in(tmp_path).name(here) == tmp_path / "snapshot-20260304T120000Z.db"
    assert series_in(tmp_path / "a{time}b").name(here) == tmp_path / "a20260304T120000Zb"
    assert series_of(tmp_path / "one.db") is None
    for wrong in ("{time}{time}", "{time}/a", "{time}/{time}"):
        with pytest.raises(CannotRotate, match="once, in the file's name"):
            series_of(tmp_path / wrong)


def test_the_newest_are_kept(tmp_path: Path) -> None:
    series = series_in(tmp_path)
    one, two, three, four = made(series, 1, 2, 3, 4)

    assert sorted(series.rotate(2, four)) == [one, two]
    assert sorted(tmp_path.iterdir()) == [three, four]
    assert series.rotate(5, four) == []


def test_what_was_just_saved_stays_though_the_clock_went_back(tmp_path: Path) -> None:
    series = series_in(tmp_path)
    saved, _, later = made(series, 1, 2, 3)

    series.rotate(2, saved)

    assert sorted(tmp_path.iterdir()) == [saved, later]


def test_nothing_of_anybody_else_is_deleted(tmp_path: Path) -> None:
    series = series_in(tmp_path / "a+{time}.db")
    (saved,) = made(series, 9)
    others = [
        *made(series_in(tmp_path / "aa{time}.db"), 1),  # a name that is read as a pattern
        *made(series_in(tmp_path / "a+{time}.db.old"), 1),
        *made(series_in(tmp_path / "xa+{time}.db"), 1),
        series.name(NOON),  # text
        series.name(NOON + timedelta(days=1)),  # a link to a snapshot
        series.name(NOON + timedelta(days=2)),  # a directory
        series.name(NOON + timedelta(days=3)),  # another SQLite database
        tmp_path / "notes",
    ]
    (elsewhere,) = made(series_in(tmp_path / "other{time}"), 1)
    others[3].write_text("mine")
    others[4].symlink_to(elsewhere)
    others[5].mkdir()
    others[6].write_bytes(b"SQLite format 3\0".ljust(4096, b"\0"))
    others[7].write_text("mine")

    assert series.rotate(1, saved) == []
    assert sorted(tmp_path.iterdir()) == sorted([saved, elsewhere, *others])


def test_what_a_killed_save_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    series = series_in(tmp_path)
    (saved,) = made(series, 1)
    left, written = (tmp_path / f"{saved.name}.{end}.part" for end in ("abc_1234", "x0000000"))
    left.write_bytes(b"half")

    with written.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        series.rotate(3, saved)

    assert sorted(tmp_path.iterdir()) == sorted([saved, written])


def test_what_cannot_be_removed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    series = series_in(tmp_path)
    old, saved = made(series, 1, 2)

    def refuse(path: Path, **_: bool) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(CannotRotate, match=f"{saved} is saved, but {old}: Operation not permitted"):
        series.rotate(1, saved)


@pytest.fixture(scope="module")
def server() -> Iterator[Datastore]:
    """A server for all of them."""
    with Datastore() as started:
        yield started


def save(server: Datastore, place: Path, *words: str) -> Said:
    return run("snapshot", "save", str(place), "--endpoints", server.endpoint, *words)


def test_saved_into_a_directory_and_rotated(server: Datastore, tmp_path: Path) -> None:
    first = save(server, tmp_path)
    (path,) = tmp_path.iterdir()
    old = tmp_path / "snapshot-20200101T000000Z.db"
    shutil.copyfile(path, old)

    done = save(server, tmp_path, "--keep", "1")

    assert (first.code, done.code) == (0, 0), (first, done)
    (left,) = tmp_path.iterdir()
    lines = done.out.splitlines()
    assert lines[0].startswith(f"snapshot saved to {left}: ")
    assert f"removed {old}" in lines[1:]
    assert run("snapshot", "status", str(left)).code == 0


def test_nothing_is_removed_for_a_save_that_failed(tmp_path: Path) -> None:
    series = series_in(tmp_path)
    paths = made(series, 1, 2, 3)

    done = run("snapshot", "save", str(tmp_path), "--keep", "1", "--endpoints", "unix:///none")

    assert done.code == 2
    assert sorted(tmp_path.iterdir()) == paths
