"""The judge of histories: silent about a right one, and nothing wrong escapes it."""

import copy
from collections.abc import Callable

import pytest

from tests.availability.history import Event, History, Listed, Outcome, Watched, Write
from tests.availability.judge import violations

Change = Callable[[History], object]


def _right() -> History:
    """Created at 11, updated at 12, deleted at 13; another created at 15, at another server."""
    events = [
        Event(11, "ADDED", "a", "u1", "p1"),
        Event(12, "MODIFIED", "a", "u1", "p2"),
        Event(13, "DELETED", "a", "u1", "p2"),
        Event(15, "ADDED", "b", "u2", "p4"),
    ]
    writes = [
        Write("create", "a", "p1", 1.0, 1.5, Outcome.DONE, revision=11),
        Write("update", "a", "p2", 2.0, 2.5, Outcome.DONE, based_on=11, revision=12),
        Write("update", "a", "p3", 2.1, 2.6, Outcome.REFUSED, based_on=11),
        Write("delete", "a", "x", 3.0, 3.5, Outcome.DONE, uid="u1"),
        Write("create", "b", "p4", 4.0),
        Write("create", "c", "p5", 4.0),
    ]
    lists = [Listed(0.5, 10, {}), Listed(2.7, 12, {"a": ("p2", 12)})]
    watches = [Watched(10, events), Watched(12, events[2:], resumed=1)]
    return History(writes, lists, watches, Listed(9.0, 16, {"b": ("p4", 15)}))


def test_a_right_history_is_passed() -> None:
    assert violations(_right()) == []


def _append(event: Event) -> Change:
    return lambda history: history.watches[0].events.append(event)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda h: h.watches[1].events.pop(0), "watch 1 has lost"),
        (
            lambda h: h.watches[0].events.insert(1, h.watches[0].events[0]),
            "shows revision 11 twice",
        ),
        (lambda h: h.watches[0].events.reverse(), "shows revision 13 after 15"),
        (_append(Event(16, "ADDED", "z", "u9", "p9")), "was written by nobody"),
        (_append(Event(16, "ADDED", "a", "u3", "p3")), "was refused and happened"),
        (_append(Event(16, "MODIFIED", "b", "u2", "p4")), "happened 2 times"),
        (_append(Event(16, "ADDED", "b", "u2", "p5")), "cannot follow what was there"),
        (_append(Event(16, "DELETED", "b", "u2", "p4")), "was asked by nobody"),
        (lambda h: setattr(h.writes[5], "outcome", Outcome.DONE), "was acknowledged and is lost"),
        (lambda h: setattr(h.writes[0], "revision", 12), "at another revision"),
        (lambda h: setattr(h.writes[1], "based_on", 9), "overwrote revision 11"),
        (lambda h: setattr(h.writes[0], "began", 3.0), "has a revision below 12"),
        (lambda h: h.lists.append(Listed(5.0, 13, {"a": ("p2", 12)})), "list at 13 differs"),
        (
            lambda h: h.lists.append(Listed(3.0, 11, {"a": ("p1", 11)})),
            "older than the acknowledged",
        ),
        (lambda h: setattr(h, "final", Listed(9.0, 16, {})), "list at 16 differs"),
        (lambda h: setattr(h, "final", None), "has no end"),
    ],
)
def test_what_is_wrong_is_found(change: Change, text: str) -> None:
    history = copy.deepcopy(_right())
    history.watches[1].events = list(history.watches[1].events)
    change(history)
    assert any(text in found for found in violations(history)), violations(history)
