"""What a client that leaves or does not read costs the others: nothing for long."""

import asyncio
from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.flow_bootstrap import (
    MANDATORY_LEVELS,
    MANDATORY_SCHEMAS,
    SUGGESTED_LEVELS,
    SUGGESTED_SCHEMAS,
    bootstrap_objects,
)
from control_plane.api.resources import PRIORITYLEVELCONFIGURATIONS
from control_plane.apiserver.auth.authz import Attributes, Authorizer
from control_plane.apiserver.auth.rbac.authorizer import RbacAuthorizer
from control_plane.apiserver.auth.rbac.bindings import Bindings
from control_plane.apiserver.auth.user import User, authenticated
from control_plane.apiserver.flow_control.configuration import configuration_of
from control_plane.apiserver.flow_control.flow_control import LONGEST_HOLD, FlowControl
from control_plane.apiserver.flow_control.in_flight import InFlightLimit
from control_plane.apiserver.flow_control.limiter import TurnedAwayError
from control_plane.apiserver.flow_control.priority_level import PriorityLevel
from control_plane.apiserver.flow_control.work_estimate import ONE_SEAT, Work
from control_plane.apiserver.http.answer import Reply, text_answer
from control_plane.apiserver.http.departure import Departure
from control_plane.apiserver.http.edge import Edge
from control_plane.apiserver.http.protocols import EXTENSION, Connection
from control_plane.apiserver.http.request import ClientGoneError, Request

Object = dict[str, Any]

AUTHORIZER = Authorizer(RbacAuthorizer(Bindings()))
JANE = authenticated("jane", ())
READ = Attributes("get", "/version")
WRITE = Attributes("create", "/version")


class Clock:
    """A time that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def one_seat(clock: Clock, length: int = 5) -> FlowControl:
    """FlowControl with one level for everybody, which has one seat and one queue."""
    queuing = {"queues": 1, "handSize": 1, "queueLengthLimit": length}
    limited = {
        "nominalConcurrencyShares": 1, "borrowingLimitPercent": 0,
        "limitResponse": {"type": "Queue", "queuing": queuing},
    }  # fmt: skip
    level: Object = {"metadata": {"name": "one"}, "spec": {"type": "Limited", "limited": limited}}
    apply_defaults(PRIORITYLEVELCONFIGURATIONS, level)
    rule = {
        "subjects": [{"kind": "User", "user": {"name": "*"}}],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }
    spec = {
        "matchingPrecedence": 5, "priorityLevelConfiguration": {"name": "one"}, "rules": [rule],
    }  # fmt: skip
    flow = FlowControl(3, clock)
    flow.configure(configuration_of([{"metadata": {"name": "all"}, "spec": spec}], [level]))
    return flow


def level_of(flow: FlowControl) -> PriorityLevel:
    return flow.levels["one"]


async def grant(flow: FlowControl, departure: Departure | None = None, patience: float = 60) -> Any:
    seat = flow.grant(JANE, READ, ONE_SEAT)
    if seat.waits:
        await seat.turn(patience, departure or Departure())
    return seat


async def turns() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_waits_goes_on_when_a_seat_is_free() -> None:
    flow = one_seat(Clock())
    first = await grant(flow)
    second = asyncio.create_task(grant(flow))
    await turns()
    assert not second.done()
    first.release()
    first.release()
    (await second).release()
    assert level_of(flow).queues.seats_in_use == 0
    assert level_of(flow).counts["all"].dispatched == 2


async def test_who_leaves_while_waiting_leaves_the_queue_at_once() -> None:
    flow, departure = one_seat(Clock()), Departure()
    first = await grant(flow)
    second = asyncio.create_task(grant(flow, departure))
    await turns()
    assert level_of(flow).queues.waiting == 1
    departure.happen()
    assert level_of(flow).queues.waiting == 0
    with pytest.raises(ClientGoneError):
        await second
    first.release()
    assert level_of(flow).queues.executing == 0


async def test_who_left_before_never_waits() -> None:
    flow, departure = one_seat(Clock()), Departure()
    first = await grant(flow)
    departure.happen()
    with pytest.raises(ClientGoneError):
        await grant(flow, departure)
    first.release()


async def test_patience_ends() -> None:
    flow = one_seat(Clock())
    first = await grant(flow)
    with pytest.raises(TurnedAwayError) as refused:
        await grant(flow, patience=0.001)
    assert refused.value.retry_after_seconds == 1
    assert level_of(flow).queues.waiting == 0
    first.release()


async def test_a_cancelled_task_takes_nothing_with_it() -> None:
    flow = one_seat(Clock())
    first = await grant(flow)
    tasks = [asyncio.create_task(grant(flow)) for _ in range(2)]
    await turns()
    tasks[0].cancel()
    await turns()
    first.release()  # the other's turn has come, and it is cancelled before it knows
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    queues = level_of(flow).queues
    assert (queues.waiting, queues.executing, queues.seats_in_use) == (0, 0, 0)


async def test_seats_that_are_held_too_long_are_taken_back() -> None:
    clock = Clock()
    flow = one_seat(clock)
    first = await grant(flow)
    second = asyncio.create_task(grant(flow))
    await turns()
    clock.now = LONGEST_HOLD - 1
    flow.take_back()
    await turns()
    assert not second.done()
    clock.now = LONGEST_HOLD + 1
    flow.take_back()
    held = await second
    first.release()  # which it does not have any more
    assert level_of(flow).queues.seats_in_use == 1
    held.release()


async def test_seats_of_a_watched_write_linger() -> None:
    flow = one_seat(Clock())
    written = flow.grant(JANE, WRITE, Work(1, 3, 0.001))
    written.release()
    assert level_of(flow).queues.seats_in_use == 1  # three, cut to what the level has
    (await asyncio.create_task(grant(flow))).release()


async def test_a_level_that_is_gone_serves_who_is_in_it() -> None:
    flow = one_seat(Clock())
    first, gone = await grant(flow), level_of(flow)
    second = asyncio.create_task(grant(flow))
    await turns()
    flow.configure(configuration_of((), ()))
    assert "one" not in flow.levels
    first.release()
    (await second).release()
    assert gone.queues.queues == {}


async def test_a_level_borrows_what_the_others_do_not_want() -> None:
    clock = Clock()
    flow = FlowControl(60, clock)
    levels = [*bootstrap_objects(MANDATORY_LEVELS), *bootstrap_objects(SUGGESTED_LEVELS)]
    schemas = [*bootstrap_objects(MANDATORY_SCHEMAS), *bootstrap_objects(SUGGESTED_SCHEMAS)]
    flow.configure(configuration_of(schemas, levels))
    level = flow.levels["global-default"]
    before = level.queues.limit
    waiting = [asyncio.create_task(grant(flow)) for _ in range(40)]
    await turns()
    assert level.queues.executing == before < 40
    clock.now = 10.0
    flow.share_seats()
    await turns()
    assert level.queues.executing == level.queues.limit > before
    assert sum(other.queues.limit for other in flow.levels.values()) <= 60 + len(flow.levels)
    for _ in range(40):
        for task in [task for task in waiting if task.done()]:
            waiting.remove(task)
            task.result().release()
        await turns()
    clock.now = 4000.0
    for _ in range(3):
        clock.now += 4000.0
        flow.share_seats()
    assert level.queues.seats_in_use == 0
    assert level.queues.limit < 40


class Everybody:
    """Authenticates whoever comes as jane."""

    async def user(self, *_: Any) -> User:
        return JANE


def scope(departure: Departure) -> Object:
    unknown: Object = dict.fromkeys(Connection._fields)
    return {
        "type": "http", "method": "GET", "path": "/version", "raw_path": b"/version",
        "query_string": b"", "headers": [],
        "extensions": {EXTENSION: Connection(**{**unknown, "departure": departure})},
    }  # fmt: skip


@pytest.mark.parametrize(("asked", "is_broken_off"), [(READ, True), (WRITE, False)])
async def test_a_read_whose_client_leaves_is_broken_off(
    asked: Attributes, is_broken_off: bool
) -> None:
    flow, departure, begun = one_seat(Clock()), Departure(), asyncio.Event()
    ends, sent = asyncio.Event(), []
    authenticator: Any = Everybody()
    edge = Edge(authenticator, AUTHORIZER, flow)

    async def handler(request: Request) -> Reply:
        await edge.admit(request, asked)
        begun.set()
        await ends.wait()
        return text_answer("done")

    async def send(message: Object) -> None:
        sent.append(message)

    serving = asyncio.create_task(edge.serve(handler, scope(departure), None, send))
    await begun.wait()
    assert level_of(flow).queues.seats_in_use == 1
    departure.happen()
    await turns()
    assert serving.done() == is_broken_off
    assert level_of(flow).queues.seats_in_use == (0 if is_broken_off else 1)
    ends.set()
    await serving
    assert level_of(flow).queues.seats_in_use == 0
    body = b"".join(bytes(message.get("body", b"")) for message in sent)
    assert body == (b"" if is_broken_off else b"done")


async def test_a_stop_of_the_server_is_no_departure() -> None:
    flow, begun = one_seat(Clock()), asyncio.Event()
    authenticator: Any = Everybody()
    edge = Edge(authenticator, AUTHORIZER, flow)

    async def handler(request: Request) -> Reply:
        await edge.admit(request, READ)
        begun.set()
        await asyncio.Event().wait()
        return text_answer("never")

    async def send(_message: Object) -> None: ...

    serving = asyncio.create_task(edge.serve(handler, scope(Departure()), None, send))
    await begun.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert level_of(flow).queues.seats_in_use == 0


async def test_limits_without_priority_and_fairness() -> None:
    limit = InFlightLimit(reads=1, writes=0)
    held = limit.grant(JANE, READ, ONE_SEAT)
    with pytest.raises(TurnedAwayError):
        limit.grant(JANE, READ, ONE_SEAT)
    for _ in range(5):
        limit.grant(JANE, WRITE, ONE_SEAT)  # 0 is no limit
    master = authenticated("root", ("system:masters",))
    limit.grant(master, READ, ONE_SEAT)
    held.release()
    held.release()
    assert limit.reads.taken == 0
    assert limit.grant(JANE, READ, ONE_SEAT).headers == ()
