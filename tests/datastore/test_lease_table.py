"""Leases in memory: due when their time has come, never before, whatever was renewed or dropped."""

import pickle
import random

import pytest

from datastore.mvcc.lease_table import LOOKED_AT, LeaseTable

LEASES = range(1, 30)


def _due(table: LeaseTable, now: int) -> list[int]:
    """Return what is due, as the lessor asks for it: as long as the heap says to look."""
    found: list[int] = []
    while (following := table.next()) is not None and following <= now:
        found += table.due(now, 3)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_a_list_of_deadlines(seed: int) -> None:
    dice, table, now = random.Random(seed), LeaseTable(), 0
    model: dict[int, tuple[int, int]] = {}
    for _ in range(3_000):
        lease = dice.choice(LEASES)
        match dice.randrange(5):
            case 0:
                ttl = dice.randint(2, 20)
                table.put(lease, ttl, now + ttl * 1000)
                model[lease] = (ttl, now + ttl * 1000)
            case 1:
                table.drop(lease)
                model.pop(lease, None)
            case 2:
                held = model.get(lease)
                alive = held is not None and held[1] > now
                assert table.renew(lease, now) == (held[0] if held and alive else 0)
                if held and alive:
                    model[lease] = (held[0], now + held[0] * 1000)
            case _:
                now += dice.randint(0, 1_500)
                expected = {lease for lease, (_, deadline) in model.items() if deadline <= now}
                due = _due(table, now)
                assert set(due) == expected
                assert len(due) == len(expected)
                for lease in due[::2]:
                    table.drop(lease)
                    del model[lease]
                table.postpone(due, now)
        assert len(table) == len(model)
        assert table.left(lease, now) == (model[lease][1] - now if lease in model else None)


def test_a_renewal_costs_nothing_until_the_old_deadline() -> None:
    table = LeaseTable()
    table.put(1, 60, 60_000)
    for now in range(0, 59_000, 1_000):
        assert table.renew(1, now) == 60
    assert table.next() == 60_000
    assert table.due(60_000, 10) == []
    assert table.next() == 58_000 + 60_000


def test_one_turn_looks_at_a_bounded_part_of_the_heap() -> None:
    table = LeaseTable()
    for lease in range(3 * LOOKED_AT):
        table.put(lease, 60, 60_000)
        table.renew(lease, 1_000)
    assert table.due(60_000, 10) == []
    assert table.next() == 60_000
    assert _due(table, 60_000) == []
    assert table.next() == 61_000


def test_after_being_held_up_every_lease_has_its_full_time() -> None:
    table = LeaseTable()
    table.put(1, 2, 2_000)
    table.put(2, 60, 90_000)
    table.renew_all(50_000, 0)
    assert table.left(1, 50_000) == 2_000
    assert table.left(2, 50_000) == 60_000
    assert _due(table, 51_999) == []
    assert _due(table, 52_000) == [1]


def test_leases_that_have_ended_take_no_room_however_late_they_were_due() -> None:
    table = LeaseTable()
    table.put(1, 60, 60_000)
    before = len(pickle.dumps(table))
    for lease in range(2, 20 * LOOKED_AT):
        table.put(lease, 90_000, 90_000_000)
        table.drop(lease)

    assert len(pickle.dumps(table)) < before + 40 * LOOKED_AT
    assert table.next() == 60_000
    assert _due(table, 60_000) == [1]
