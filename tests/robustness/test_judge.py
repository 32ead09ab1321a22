"""The judge convicts: every kind of lie in a history is found, and a true history is acquitted."""

from dataclasses import replace

import pytest

from tests.robustness.history import (
    KV,
    OK,
    REFUSED,
    UNKNOWN,
    Compare,
    Event,
    Grant,
    Log,
    Op,
    Record,
    Request,
    Result,
)
from tests.robustness.judge import Judge

BASE = 10
OLD = KV("a", "old", 5, 9, 3, 0)
STATE = {"a": OLD, "b": KV("b", "old", 6, 6, 1, 7), "c": KV("c", "old", 6, 7, 2, 7)}

PUT_A = Request(True, (Op("put", "a", value="new"),))
NEW_A = KV("a", "new", 5, 11, 4, 0)
SEVERAL = Request(
    False,
    (Op("put", "x", value="1"), Op("put", "y", value="2"), Op("delete", "a"), Op("get", "x", "z")),
    (Op("get", "a"),),
    (Compare("a", 11),),
)
X, Y = KV("x", "1", 12, 12, 1, 0), KV("y", "2", 12, 12, 1, 0)
SEVERAL_EVENTS = [Event("x", X), Event("y", Y), Event("a", None)]
SEVERAL_RESULTS = (Result(), Result(), Result((NEW_A,), 1), Result((X, Y)))
REVOKE = Request(True, (Op("revoke", lease=7),))
GONE = [Event("b", None), Event("c", None)]
READ_A = Request(True, (Op("get", "a"),))

# put a at 11, the Txn at 12, lease 7 ends at 13, a read of a at 13
WROTE = Record(PUT_A, 1.0, 2.0, OK, 11, True, (Result((OLD,)),))
TRIED = Record(SEVERAL, 3.0, 4.0, OK, 12, True, SEVERAL_RESULTS)
ENDED = Record(REVOKE, 5.0, 6.0, OK, 13, True, (Result(),))
LOOKED = Record(READ_A, 7.0, 8.0, OK, 13, True, (Result(),))
RECORDS = [WROTE, TRIED, ENDED, LOOKED]
EVENTS = {11: [Event("a", NEW_A)], 12: SEVERAL_EVENTS, 13: GONE}


def convicted(
    records: list[Record], events: dict[int, list[Event]], grants: tuple[Grant, ...] = ()
) -> str:
    """Return what the judge says is wrong."""
    judge = Judge(BASE, STATE, Log(records, list(grants)), events)
    return "\n".join(judge.judge().violations)


def told(record: Record, *, at: int = 3, **changes: object) -> list[Record]:
    """The records, with one of them changed."""
    return [*RECORDS[:at], replace(record, **changes), *RECORDS[at + 1 :]]  # type: ignore[arg-type]


def test_the_truth_is_acquitted() -> None:
    assert convicted(RECORDS, EVENTS) == ""


def test_a_lease_without_keys_may_be_revoked_at_the_revision_of_another() -> None:
    empty = Record(Request(True, (Op("revoke", lease=9),)), 5.0, 7.0, OK, 13, True, (Result(),))

    assert convicted([*RECORDS, empty], EVENTS) == ""
    assert convicted([WROTE, TRIED, empty, ENDED, LOOKED], EVENTS) == ""


def test_what_nobody_was_told_may_have_happened_whole_or_not_at_all() -> None:
    unknown = [replace(r, status=UNKNOWN, revision=0, results=()) for r in (WROTE, TRIED, ENDED)]
    never = Record(Request(True, (Op("put", "z", value="never"),)), 1.0, 9.0, UNKNOWN)

    assert convicted([*unknown, LOOKED, never], EVENTS) == ""


def test_a_lease_ends_by_itself() -> None:
    assert convicted([WROTE, TRIED, LOOKED], EVENTS, (Grant(7, 2, 0.0),)) == ""
    assert "nobody's" in convicted([WROTE, TRIED, LOOKED], EVENTS)
    renewed = (Grant(7, 2, 0.0), Grant(7, 2, 7.5, told=True))
    assert "before its time" in convicted([WROTE, TRIED, LOOKED], EVENTS, renewed)


@pytest.mark.parametrize(
    ("records", "events", "said"),
    [
        pytest.param(RECORDS, {11: EVENTS[11]}, "acknowledged at 12, but lost", id="lost"),
        pytest.param(RECORDS, {**EVENTS, 14: GONE}, "revision 14 is nobody's", id="ghost"),
        pytest.param(RECORDS, {k: EVENTS[k] for k in (11, 13)}, "12 is missing", id="gap"),
        pytest.param(
            RECORDS, {**EVENTS, 12: SEVERAL_EVENTS[:2]}, "revision 12 is", id="half a Txn"
        ),
        pytest.param(
            [WROTE, replace(TRIED, status=UNKNOWN, results=()), ENDED, LOOKED],
            {**EVENTS, 12: SEVERAL_EVENTS[1:]},
            "half of somebody's write",
            id="half a Txn that nobody was told of",
        ),
        pytest.param(
            told(WROTE, at=1), EVENTS, "revision 11 was given to two writes", id="one revision"
        ),
        pytest.param(
            told(WROTE, at=0, revision=9), EVENTS, "revision 9 was given again", id="again"
        ),
        pytest.param(
            told(WROTE, at=0, results=(Result(),)), EVENTS, "11 was answered with", id="prev_kv"
        ),
        pytest.param(
            told(LOOKED, results=(Result((NEW_A,)),)), EVENTS, "which has", id="stale value"
        ),
        pytest.param(told(LOOKED, revision=14), EVENTS, "which is not", id="a future answer"),
        pytest.param(
            told(LOOKED, revision=11, results=(Result((NEW_A,)),)),
            EVENTS,
            "at 11, though 13 had been answered before",
            id="stale read",
        ),
        pytest.param(
            told(WROTE, at=0, start=9.0, end=9.5),
            EVENTS,
            "at 11, though 13 had been answered before",
            id="a write before its time",
        ),
        pytest.param(
            [replace(WROTE, start=9.0, end=9.5, status=UNKNOWN, results=()), *RECORDS[1:]],
            EVENTS,
            "revision 11 is nobody's",
            id="an unknown write before its time",
        ),
        pytest.param(
            [
                *RECORDS,
                replace(LOOKED, request=SEVERAL, succeeded=False, results=(Result((OLD,)),)),
            ],
            EVENTS,
            "which has",
            id="the wrong branch",
        ),
    ],
)
def test_a_lie_is_found(records: list[Record], events: dict[int, list[Event]], said: str) -> None:
    assert said in convicted(records, events)


def test_a_lease_may_delete_what_an_unknown_delete_could_have() -> None:
    """The delete began when the revision was known already: it was the lease."""
    grant, deletes = Grant(8, 2, 0.0), Request(True, (Op("delete", "d"),))
    put = Record(Request(True, (Op("put", "d", value="d", lease=8),)), 8.0, 8.5, OK, 14)
    put = replace(put, results=(Result(),))
    told = replace(LOOKED, revision=15, start=9.0, end=9.5)
    late = Record(deletes, 10.0, 11.0, UNKNOWN)
    events = {**EVENTS, 14: [Event("d", KV("d", "d", 14, 14, 1, 8))], 15: [Event("d", None)]}

    assert convicted([*RECORDS, put, told, late], events, (grant,)) == ""


def test_a_write_of_unknown_outcome_happens_once() -> None:
    twice = {**EVENTS, 14: [Event("a", KV("a", "new", 14, 14, 1, 0))]}
    unknown = replace(WROTE, status=UNKNOWN, results=())

    assert "revision 14 is nobody's" in convicted([unknown, TRIED, ENDED, LOOKED], twice)


@pytest.mark.parametrize(
    ("grant", "convicts"),
    [
        pytest.param(Grant(8, 600, 1.0, told=True), True, id="granted"),
        pytest.param(Grant(8, 600, 1.0), False, id="perhaps granted"),
        pytest.param(Grant(8, 2, 1.0, told=True), False, id="expired"),
    ],
)
def test_a_lease_that_was_granted_is_known_at_every_server(grant: Grant, convicts: bool) -> None:
    put = Request(True, (Op("put", "d", value="d", lease=8),))
    said = "NOT_FOUND etcdserver: requested lease not found"
    refused = Record(put, 5.0, 6.0, REFUSED, error=said)

    assert ("no such lease" in convicted([*RECORDS, refused], EVENTS, (grant,))) is convicts
