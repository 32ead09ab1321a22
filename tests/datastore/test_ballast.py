"""How large the ballast is, and when it is given up and taken again."""

import errno
import os
from pathlib import Path

import pytest

from datastore.backends.ballast import Ballast, marks

MIB = 1 << 20


@pytest.mark.parametrize(
    ("disk", "ballast"), [(0, 8), (64, 8), (128, 8), (256, 16), (512, 32), (1 << 20, 32)]
)
def test_it_is_a_small_part_of_the_disk(disk: int, ballast: int) -> None:
    found = marks(disk * MIB)

    assert found.ballast == found.low == ballast * MIB
    # Having taken it again, there is room left before it is given up the next time.
    assert found.high - found.ballast > found.low


def test_what_the_log_owes_counts_and_the_way_back_is_longer(tmp_path: Path) -> None:
    free = 1 << 60  # no disk has so much: what is owed decides
    ballast = Ballast(tmp_path / "store.db")
    ballast.take()
    file = tmp_path / "store.db.ballast"
    taken = file.exists()

    assert taken
    assert not ballast.short(0)
    assert ballast.short(free)
    assert not file.exists()
    assert ballast.turns == 1
    assert ballast.short(0)
    ballast.take_again(free)
    assert ballast.turns == 1
    ballast.take_again(0)
    assert ballast.turns == 2
    assert file.stat().st_size == marks(1 << 50).ballast
    assert not ballast.short(0)


def test_a_disk_without_room_for_it_is_still_full_whatever_it_says_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quota, for one, is not in what a file system says is free."""

    def refuse(*_: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    ballast = Ballast(tmp_path / "store.db")
    ballast.take()
    assert ballast.short(1 << 60)
    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", refuse)
        ballast.take_again(0)

    assert ballast.turns == 1
    assert not (tmp_path / "store.db.ballast").exists()
    ballast.take_again(0)
    assert ballast.turns == 2


def test_it_can_be_given_up_where_it_cannot_be_removed(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "store.db")
    (tmp_path / "store.db.ballast").mkdir()
    ballast.give_up()
    assert ballast.turns == 1
