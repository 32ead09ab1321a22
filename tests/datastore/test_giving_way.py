"""Beginning anew when other servers came first."""

import pytest

from datastore.mvcc.backend import BackendDown, Overtaken
from datastore.mvcc.giving_way import Patience, in_turn

PATIENCE = Patience(3, first=0.0001, longest=0.0002)


class Race:
    """An attempt that others overtake so many times."""

    def __init__(self, lost: int) -> None:
        self.left = lost
        self.runs = 0

    def __call__(self) -> int:
        self.runs += 1
        if self.left:
            self.left -= 1
            raise Overtaken("another was first")
        return self.runs


def test_who_is_overtaken_begins_anew() -> None:
    assert in_turn(Race(3), PATIENCE) == 4


def test_who_is_overtaken_for_too_long_is_told() -> None:
    race = Race(9)
    with pytest.raises(Overtaken):
        in_turn(race, PATIENCE)

    assert race.runs == 4


def test_another_trouble_is_not_tried_again() -> None:
    runs: list[None] = []

    def attempt() -> None:
        runs.append(None)
        raise BackendDown("gone")

    with pytest.raises(BackendDown):
        in_turn(attempt, PATIENCE)
    assert len(runs) == 1
