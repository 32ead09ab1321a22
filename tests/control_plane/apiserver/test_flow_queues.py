"""Shuffle sharding and fair queuing, on a clock of our own."""

import random

from control_plane.apiserver.flow_control.queue_set import QueueSet, Ticket
from control_plane.apiserver.flow_control.shuffle_sharding import deal, flow_hash, shortest
from control_plane.apiserver.flow_control.work_estimate import Work

HAND = (0, 1, 2, 3)


def queue_set(limit: int, queues: int = 8, length: int = 50) -> QueueSet:
    made = QueueSet(0.0)
    made.configure(queues, length)
    made.resize(limit, 0.0)
    return made


def test_a_hand_has_different_queues() -> None:
    for number in range(500):
        hand = deal(flow_hash("schema", f"user-{number}"), 64, 6)
        assert len(set(hand)) == 6
        assert all(0 <= card < 64 for card in hand)
    assert sorted(deal(flow_hash("s", "u"), 4, 4)) == [0, 1, 2, 3]


def test_a_flow_has_always_the_same_hand() -> None:
    assert flow_hash("s", "u") == flow_hash("s", "u")
    assert flow_hash("s", "u") != flow_hash("su", "")
    assert deal(flow_hash("s", "u"), 128, 6) == deal(flow_hash("s", "u"), 128, 6)


def test_every_queue_is_dealt_about_as_often() -> None:
    counts = dict.fromkeys(range(16), 0)
    for number in range(4_000):
        for card in deal(flow_hash("s", str(number)), 16, 4):
            counts[card] += 1
    assert all(800 < count < 1_200 for count in counts.values())


def test_flows_seldom_share_a_hand() -> None:
    hands = {frozenset(deal(flow_hash("s", str(number)), 128, 6)) for number in range(2_000)}
    assert len(hands) > 1_990


def test_the_shortest_queue_is_taken_and_equal_ones_take_turns() -> None:
    assert shortest((7, 8, 9), (3.0, 1.0, 2.0), 0) == 8
    assert [shortest((7, 8, 9), (1.0, 1.0, 1.0), first) for first in range(3)] == [7, 8, 9]


def test_seats_are_given_until_there_are_none() -> None:
    level = queue_set(limit=2)
    tickets = [Ticket() for _ in range(3)]
    assert all(level.admit(ticket, HAND, 0.0) for ticket in tickets)
    assert [ticket.started for ticket in tickets] == [0.0, 0.0, None]
    assert (level.executing, level.waiting, level.seats_in_use) == (2, 1, 2)
    told: list[bool] = []
    tickets[2].on_start = lambda: told.append(True)
    level.finish(tickets[0], 1.0)
    assert tickets[2].started == 1.0
    assert told == [True]
    for ticket in tickets[1:]:
        level.finish(ticket, 2.0)
    assert (level.executing, level.seats_in_use, level.queues) == (0, 0, {})


def test_a_full_queue_rejects() -> None:
    level = queue_set(limit=1, queues=1, length=2)
    admitted = [level.admit(Ticket(), (0,), 0.0) for _ in range(5)]
    assert admitted == [True, True, True, False, False]
    assert level.waiting == 2


def test_without_queues_the_limit_rejects() -> None:
    level = queue_set(limit=2, queues=0)
    tickets = [Ticket() for _ in range(3)]
    assert [level.admit(ticket, (), 0.0) for ticket in tickets] == [True, True, False]
    level.finish(tickets[0], 1.0)
    assert level.admit(Ticket(), (), 1.0)


def test_who_leaves_is_not_served() -> None:
    level = queue_set(limit=1, queues=1)
    first, second, third = Ticket(), Ticket(), Ticket()
    for ticket in (first, second, third):
        level.admit(ticket, (0,), 0.0)
    assert level.leave(second, 0.5)
    assert not level.leave(second, 0.5)
    assert not level.leave(first, 0.5)
    level.finish(first, 1.0)
    assert (second.started, third.started) == (None, 1.0)


def served(level: QueueSet, running: list[Ticket], queued: list[Ticket], seconds: float) -> None:
    """Finish the oldest that runs and move on those that were started by that."""
    now = max(ticket.started or 0.0 for ticket in running) + seconds
    level.finish(running.pop(0), now)
    for ticket in [ticket for ticket in queued if ticket.started is not None]:
        queued.remove(ticket)
        running.append(ticket)


def test_a_flow_with_little_is_not_behind_one_with_much() -> None:
    level = queue_set(limit=1)
    flood = [Ticket("flood") for _ in range(40)]
    for ticket in flood:
        level.admit(ticket, (0, 1), 0.0)
    small = [Ticket("small") for _ in range(4)]
    for ticket in small:
        level.admit(ticket, (4, 5), 0.0)
    order: list[str] = []
    running = [flood[0]]
    queued = [*flood[1:], *small]
    while running:
        order.append(running[0].schema)
        served(level, running, queued, 0.01)
    assert len(order) == 44
    # two queues of the flood and two of the other: each is served in turn
    assert order[:14].count("small") == 4


def test_wide_requests_cost_their_flow_more() -> None:
    level = queue_set(limit=4)
    blocker = Ticket(work=Work(4))
    level.admit(blocker, (7,), 0.0)
    wide = [Ticket("wide", work=Work(4)) for _ in range(6)]
    narrow = [Ticket("narrow") for _ in range(24)]
    for ticket in wide:
        level.admit(ticket, (0,), 0.0)
    for ticket in narrow:
        level.admit(ticket, (1,), 0.0)
    running, queued, order = [blocker], [*wide, *narrow], []
    while running:
        before = set(queued)
        served(level, running, queued, 0.003)
        order += [ticket.schema for ticket in before - set(queued)]
    assert sorted(order) == ["narrow"] * 24 + ["wide"] * 6
    assert 8 <= order[:15].count("narrow") <= 14


def test_a_request_wider_than_the_level_is_served_alone() -> None:
    level = queue_set(limit=2)
    one, wide, other = Ticket(), Ticket(work=Work(5)), Ticket()
    level.admit(one, (0,), 0.0)
    level.admit(wide, (1,), 0.0)
    assert wide.started is None
    level.finish(one, 0.1)
    assert wide.started == 0.1
    level.admit(other, (2,), 0.2)
    assert other.started is None
    level.finish(wide, 0.3)
    assert other.started == 0.3


def test_seats_linger_after_a_write_that_many_watch() -> None:
    level = queue_set(limit=3)
    write = Ticket(work=Work(1, 3, 0.005))
    level.admit(write, (0,), 0.0)
    other = Ticket()
    level.admit(other, (1,), 0.0)
    assert other.started is None
    assert level.finish(write, 0.010) == 0.005
    assert other.started is None
    level.release(write, 0.015)
    assert other.started == 0.015


def test_more_seats_serve_who_waits() -> None:
    level = queue_set(limit=0)
    tickets = [Ticket() for _ in range(3)]
    for ticket in tickets:
        assert level.admit(ticket, HAND, 0.0)
    assert all(ticket.started is None for ticket in tickets)
    level.resize(2, 5.0)
    assert sum(ticket.started == 5.0 for ticket in tickets) == 2


def test_fewer_queues_lose_nobody() -> None:
    level = queue_set(limit=1)
    tickets = [Ticket() for _ in range(6)]
    for ticket in tickets:
        level.admit(ticket, (6, 7), 0.0)
    level.configure(1, 50)
    for now, ticket in enumerate(tickets):
        assert ticket.started is not None
        level.finish(ticket, float(now + 1))
        tickets.sort(key=lambda waiting: waiting.started is None)
    assert level.queues == {}


def test_counts_agree_whatever_happens() -> None:
    chance = random.Random(7)
    level = queue_set(limit=5, queues=6, length=3)
    inside: list[Ticket] = []
    lingering: list[Ticket] = []
    for step in range(5_000):
        now = step * 0.001
        act = chance.random()
        if act < 0.45:
            ticket = Ticket(work=chance.choice([Work(), Work(3), Work(1, 4, 0.005), Work(9)]))
            if level.admit(ticket, deal(chance.randrange(2**60), 6, 2), now):
                inside.append(ticket)
        elif act < 0.55 and inside:
            ticket = chance.choice(inside)
            if level.leave(ticket, now):
                inside.remove(ticket)
        elif act < 0.6:
            level.resize(chance.randrange(8), now)
        elif act < 0.65 and lingering:
            level.release(lingering.pop(0), now)
        elif any(ticket.started is not None for ticket in inside):
            ticket = chance.choice([held for held in inside if held.started is not None])
            inside.remove(ticket)
            if level.finish(ticket, now):
                lingering.append(ticket)
        running = [ticket for ticket in inside if ticket.started is not None]
        assert level.executing == len(running)
        assert level.waiting == len(inside) - len(running)
        assert level.seats_in_use == sum(ticket.seats for ticket in [*running, *lingering])
        assert level.seats_waiting == sum(t.seats for t in inside if t.started is None)
        assert {ticket for _, ticket in level.tickets()} == {
            ticket for ticket in inside if ticket.started is None
        }
