"""How seats are shared among levels, what a request takes of them, what clients are told."""

import pytest

from control_plane.api.flow_bootstrap import (
    MANDATORY_LEVELS,
    SUGGESTED_LEVELS,
    bootstrap_objects,
)
from control_plane.apiserver.flow_control.priority_level import level_spec
from control_plane.apiserver.flow_control.retry_after import RetryAfter
from control_plane.apiserver.flow_control.seat_allocation import (
    Claim,
    SeatBounds,
    claim_of,
    seat_bounds,
    share_out,
    widest,
)
from control_plane.apiserver.flow_control.seat_demand import SeatDemand
from control_plane.apiserver.flow_control.work_estimate import Stored, Work, work_of
from control_plane.apiserver.http.query import Query


def test_nominal_shares_of_a_default_cluster() -> None:
    objects = [*bootstrap_objects(MANDATORY_LEVELS), *bootstrap_objects(SUGGESTED_LEVELS)]
    specs = [level_spec(obj) for obj in objects]
    total = sum(spec.shares for spec in specs)
    bounds = {
        spec.name: seat_bounds(600, spec.shares, total, spec.lendable, spec.borrowing)
        for spec in specs
    }
    assert {name: found.nominal for name, found in bounds.items()} == {
        "exempt": 0, "catch-all": 13, "system": 74, "node-high": 98, "leader-election": 25,
        "workload-high": 98, "workload-low": 245, "global-default": 49,
    }  # fmt: skip
    assert bounds["workload-low"] == SeatBounds(245, 24, 845)


def test_borrowing_may_be_limited() -> None:
    assert seat_bounds(600, 1, 6, 50, 20) == SeatBounds(100, 50, 120)
    assert seat_bounds(600, 1, 6, 0, 0) == SeatBounds(100, 100, 100)


def test_what_a_level_uses_of_its_share_is_not_lent() -> None:
    bounds = SeatBounds(100, 40, 700)
    assert claim_of(bounds, peak=0, smoothed=0.0) == Claim(40, 40, 700)
    assert claim_of(bounds, peak=70, smoothed=10.0) == Claim(70, 70, 700)
    assert claim_of(bounds, peak=500, smoothed=300.0) == Claim(300, 100, 700)


@pytest.mark.parametrize(
    ("total", "claims", "shares"),
    [
        (10, [Claim(5, 0, 10), Claim(5, 0, 10)], [5, 5]),
        (12, [Claim(1, 0, 20), Claim(3, 0, 20)], [3, 9]),
        (10, [Claim(5, 5, 10), Claim(5, 5, 10)], [5, 5]),
        (20, [Claim(5, 0, 4), Claim(5, 0, 16)], [4, 16]),
        (10, [Claim(1, 0, 3), Claim(1, 0, 99)], [3, 7]),
        (10, [Claim(9, 9, 99), Claim(99, 0, 99)], [9, 1]),
        (10, [Claim(0, 0, 10), Claim(0, 0, 10)], [5, 5]),
        (10, [Claim(50, 0, 50), Claim(0, 0, 10)], [10, 0]),
    ],
)
def test_seats_are_shared_in_proportion_within_bounds(
    total: int, claims: list[Claim], shares: list[int]
) -> None:
    assert share_out(total, claims) == shares


def test_one_request_takes_at_most_a_part_of_a_level() -> None:
    assert widest(SeatBounds(245, 24, 845), 6) == 37
    assert widest(SeatBounds(25, 25, 625), 4) == 4
    assert widest(SeatBounds(5, 5, 605), 8) == 1


def test_demand_rises_at_once_and_falls_slowly() -> None:
    demand = SeatDemand(0.0)
    demand.observe(10, 0.0)
    demand.close(10.0)
    assert demand.peak == 10
    assert demand.smoothed == pytest.approx(10.0)
    demand.observe(0, 10.0)
    demand.close(20.0)
    assert demand.peak == 10  # what it was when the period began
    demand.close(30.0)
    assert demand.peak == 0
    assert 9 < demand.smoothed < 10
    for period in range(30):
        demand.close(40.0 + 10 * period)
    assert demand.smoothed == pytest.approx(10 * 0.977**32)


def test_demand_counts_for_as_long_as_it_lasted() -> None:
    demand = SeatDemand(0.0)
    demand.observe(4, 5.0)
    demand.close(10.0)
    assert demand.smoothed == pytest.approx(2 + 2)  # the mean and the deviation


STORED = Stored(objects=1_000, encoded_bytes=1_000_000, watches=0)
LARGE = Stored(objects=50_000, encoded_bytes=200_000_000, watches=0)


@pytest.mark.parametrize(
    ("verb", "query", "stored", "seats"),
    [
        ("get", "", LARGE, 1),
        ("list", "", Stored(0, 0, 0), 1),
        ("list", "", STORED, 10),
        ("list", "", LARGE, 10),
        ("list", "limit=100", STORED, 1),
        ("list", "limit=500", LARGE, 10),
        ("list", "limit=500&resourceVersion=0", STORED, 5),
        ("list", "limit=1&labelSelector=a", STORED, 5),
        ("list", "fieldSelector=metadata.name=x", LARGE, 1),
        ("watch", "watch=1", LARGE, 1),
        ("watch", "watch=1&sendInitialEvents=true", STORED, 10),
        ("deletecollection", "", LARGE, 1),
        ("list", "limit=%C2%B2", STORED, 10),
    ],
)
def test_lists_take_seats_for_what_they_load(
    verb: str, query: str, stored: Stored, seats: int
) -> None:
    assert work_of(verb, Query(query.encode()), stored).seats == seats


def test_writes_take_seats_for_who_watches() -> None:
    query = Query(b"")
    assert work_of("create", query, Stored(1, 1, 9)) == Work(1)
    assert work_of("create", query, Stored(1, 1, 25)) == Work(1, 3, 0.005)
    assert work_of("patch", query, Stored(1, 1, 1_000)) == Work(1, 10, 0.005)
    fewer = Work(1, 10, 0.005).at_most(2)
    assert fewer[:2] == (1, 2)
    assert fewer.lingering == pytest.approx(0.025)


def test_clients_are_told_to_wait_longer_while_many_are_turned_away() -> None:
    retry = RetryAfter()
    assert retry.seconds == 1
    pauses = []
    for second in range(1, 20):
        for _ in range(100):
            retry.drop(second)
        pauses.append(retry.seconds)
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 8
    for second in range(100, 400, 5):
        retry.drop(second)
    assert retry.seconds == 1
