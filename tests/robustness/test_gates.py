"""Turns that do not bind at once are found, and what may have been either is left alone."""

from pathlib import Path

import pytest

from tests.robustness.gates import ALARM, NO_SPACE, PERMISSION, judge_gates
from tests.robustness.history import (
    OK,
    REFUSED,
    UNKNOWN,
    Log,
    Op,
    Record,
    Request,
    Toggle,
    Try,
    load,
    save,
)

PUT = Request(True, (Op("put", "a", value="new"),))
MAYBE = Request(False, (Op("get", "a"),), (Op("put", "a", value="new"),))
GET = Request(True, (Op("get", "a"),))
SHUT = Toggle(PERMISSION, True, 1.0, 2.0, OK)
OPENED = Toggle(PERMISSION, False, 5.0, 6.0, OK)
RAISED, DISARMED = (Toggle(ALARM, each.shut, each.start, each.end, OK) for each in (SHUT, OPENED))


@pytest.mark.parametrize(
    ("start", "end", "passed", "wrong"),
    [
        (3.0, 4.0, True, True),
        (3.0, 4.0, False, False),
        (7.0, 8.0, False, True),
        (7.0, 8.0, True, False),
        (1.5, 3.0, True, False),  # it began before the turn was acknowledged
        (4.0, 5.5, True, False),  # it ended after the next one had begun
    ],
)
def test_a_try_beside_its_turns(start: float, end: float, passed: bool, wrong: bool) -> None:
    log = Log(toggles=[SHUT, OPENED], tries=[Try(PERMISSION, start, end, passed)])

    assert bool(judge_gates(log).violations) == wrong


@pytest.mark.parametrize("request_", [PUT, MAYBE])
def test_every_put_tries_the_alarm(request_: Request) -> None:
    passed = Record(request_, 3.0, 4.0, OK, 11, True, ())
    refused = Record(request_, 7.0, 8.0, REFUSED, error=f"RESOURCE_EXHAUSTED {NO_SPACE}")
    log = Log([passed, refused], toggles=[RAISED, DISARMED])

    assert len(judge_gates(log).violations) == 2
    assert judge_gates(Log([passed, refused], toggles=[SHUT, OPENED])).judged == 0


def test_what_the_alarm_does_not_stop_is_not_judged() -> None:
    log = Log([Record(GET, 3.0, 4.0, OK, 11, True, ())], toggles=[RAISED])

    assert judge_gates(log) == ([], 0)


@pytest.mark.parametrize(("status", "judged"), [(UNKNOWN, 0), (REFUSED, 1)])
def test_after_an_unknown_turn_nothing_is_known(status: str, judged: int) -> None:
    turned = Toggle(PERMISSION, True, 2.1, 2.5, status)
    opened = Toggle(PERMISSION, False, 1.0, 2.0, OK)
    log = Log(toggles=[opened, turned, OPENED], tries=[Try(PERMISSION, 3.0, 4.0, True)])

    assert judge_gates(log) == ([], judged)


def test_a_token_is_known_everywhere() -> None:
    denied = Record(GET, 3.0, 4.0, REFUSED, error="UNAUTHENTICATED etcdserver: invalid auth token")

    assert judge_gates(Log([denied])).violations
    assert judge_gates(Log(troubles=["etcdserver: invalid auth token"])).violations


def test_a_log_travels(tmp_path: Path) -> None:
    log = Log([], [], [SHUT], [Try(PERMISSION, 3.0, 4.0, True)], ["trouble"])
    save(log, tmp_path / "log")

    assert load([tmp_path / "log"]) == log
