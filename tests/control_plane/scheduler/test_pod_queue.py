"""The scheduling queue: order, back-off, waiting for events, gates; on a clock the test moves."""

import asyncio

import pytest

from control_plane.scheduler.framework.cluster_event import (
    ClusterEvent,
    EventKind,
    node_events,
)
from control_plane.scheduler.framework.framework import Framework
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.in_flight_events import InFlightEvents
from control_plane.scheduler.plugins import PLUGINS
from control_plane.scheduler.pod_queue import PodQueue
from control_plane.scheduler.queued_pod import Place, QueuedPod
from tests.control_plane.scheduler.builders import node, pod, pod_info

FIT = ("NodeResourcesFit",)
ROOM = ClusterEvent(EventKind.POD_DELETE, pod("gone", nodeName="node-1"), None)
LABELLED = node_events(node(), node(labels={"a": "b"}))[0]


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> PodQueue:
    return PodQueue(Framework(PLUGINS), clock=clock)


def pop(queue: PodQueue, name: str) -> QueuedPod:
    popped = queue.try_pop()
    assert popped is not None
    assert popped.info.key == f"default/{name}"
    return popped


def fail(queue: PodQueue, name: str, *rejectors: str) -> None:
    queue.failed(pop(queue, name), rejectors)


def place(queue: PodQueue, name: str = "web") -> Place | None:
    return queue.place_of(f"uid-{name}")


def test_priority_first_then_whoever_has_waited_longer(queue: PodQueue, clock: Clock) -> None:
    for name, priority in (("low", -5), ("first", 0), ("second", 0), ("high", 1000)):
        queue.add(pod_info(name, priority=priority))
        clock.now += 0.001
    order = ["high", "first", "second", "low"]
    assert [pop(queue, name).place for name in order] == [Place.IN_FLIGHT] * 4
    assert queue.try_pop() is None


async def test_pop_waits_for_a_pod(queue: PodQueue) -> None:
    waiting = asyncio.create_task(queue.pop())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.add(pod_info())
    assert (await waiting).info.key == "default/web"


def test_a_pod_that_was_scheduled_is_forgotten(queue: PodQueue) -> None:
    queue.add(pod_info())
    queue.done(pop(queue, "web"))
    assert len(queue) == 0


def test_a_rejected_pod_waits_for_an_event_that_helps(queue: PodQueue, clock: Clock) -> None:
    queue.add(pod_info())
    fail(queue, "web", *FIT)
    assert place(queue) is Place.UNSCHEDULABLE
    queue.report(LABELLED)
    assert place(queue) is Place.UNSCHEDULABLE
    queue.report(ROOM)
    assert place(queue) is Place.BACKOFF
    clock.now += 1
    queue.flush_backoff()
    assert place(queue) is Place.ACTIVE


def test_an_event_after_the_back_off_makes_the_pod_active_at_once(
    queue: PodQueue, clock: Clock
) -> None:
    queue.add(pod_info())
    fail(queue, "web", *FIT)
    clock.now += 5
    queue.report(ROOM)
    assert place(queue) is Place.ACTIVE


def test_back_off_doubles_up_to_ten_seconds(queue: PodQueue, clock: Clock) -> None:
    queue.add(pod_info())
    waits = []
    for _attempt in range(6):
        fail(queue, "web")
        assert place(queue) is Place.ERROR_BACKOFF
        failed_at = clock.now
        while place(queue) is not Place.ACTIVE:
            clock.now += 0.5
            queue.flush_backoff()
        waits.append(clock.now - failed_at)
    assert waits == [1, 2, 4, 8, 10, 10]


def test_back_off_ends_on_a_whole_second(queue: PodQueue, clock: Clock) -> None:
    clock.now = 1000.9
    queue.add(pod_info())
    fail(queue, "web")
    clock.now = 1000.99
    queue.flush_backoff()
    assert place(queue) is Place.ERROR_BACKOFF
    clock.now = 1001.0
    queue.flush_backoff()
    assert place(queue) is Place.ACTIVE


def test_errors_and_rejections_are_counted_apart(queue: PodQueue, clock: Clock) -> None:
    queue.add(pod_info())
    for _error in range(3):
        fail(queue, "web")
        clock.now += 20
        queue.flush_backoff()
    popped = pop(queue, "web")
    queue.failed(popped, FIT)
    assert (popped.error_count, popped.unschedulable_count, popped.attempts) == (0, 1, 1)


def test_an_idle_scheduler_takes_a_pod_that_is_backing_off(queue: PodQueue) -> None:
    queue.add(pod_info())
    fail(queue, "web", *FIT)
    queue.report(ROOM)
    assert place(queue) is Place.BACKOFF
    pop(queue, "web")


def test_an_idle_scheduler_leaves_a_pod_that_failed_by_error(queue: PodQueue) -> None:
    queue.add(pod_info())
    fail(queue, "web")
    assert queue.try_pop() is None


def test_an_event_missed_while_in_flight_counts_on_failure(queue: PodQueue) -> None:
    queue.add(pod_info())
    popped = pop(queue, "web")
    queue.report(ROOM)
    queue.failed(popped, FIT)
    assert place(queue) is Place.BACKOFF


def test_an_event_before_the_attempt_does_not_count(queue: PodQueue) -> None:
    queue.add(pod_info("other"))
    queue.add(pod_info())
    pop(queue, "other")
    queue.report(ROOM)
    fail(queue, "web", *FIT)
    assert place(queue) is Place.UNSCHEDULABLE


def test_a_pod_is_tried_again_after_five_minutes(queue: PodQueue, clock: Clock) -> None:
    queue.add(pod_info())
    fail(queue, "web", "VolumeBinding")
    clock.now += 300
    queue.flush_unschedulable()
    assert place(queue) is Place.UNSCHEDULABLE
    clock.now += 1
    queue.flush_unschedulable()
    assert place(queue) is Place.ACTIVE


def gated(*gates: str) -> PodInfo:
    return pod_info(schedulingGates=[{"name": gate} for gate in gates])


def test_a_gated_pod_waits_until_its_last_gate_is_gone(queue: PodQueue, clock: Clock) -> None:
    queue.add(gated("a", "b"))
    assert place(queue) is Place.UNSCHEDULABLE
    queue.report(ROOM)
    clock.now += 1000
    queue.flush_unschedulable()
    queue.update(gated("b"))
    assert place(queue) is Place.UNSCHEDULABLE
    queue.update(gated())
    assert place(queue) is Place.ACTIVE


def test_own_changes_wake_a_pod(queue: PodQueue, clock: Clock) -> None:
    queue.add(pod_info())
    fail(queue, "web", "TaintToleration")
    clock.now += 5
    queue.update(pod_info())
    assert place(queue) is Place.UNSCHEDULABLE
    queue.update(pod_info(tolerations=[{"operator": "Exists"}]))
    assert place(queue) is Place.ACTIVE


def test_own_changes_while_in_flight_count_on_failure(queue: PodQueue) -> None:
    queue.add(pod_info())
    popped = pop(queue, "web")
    queue.update(pod_info(tolerations=[{"operator": "Exists"}]))
    queue.failed(popped, ("TaintToleration",))
    assert place(queue) is Place.BACKOFF
    assert pop(queue, "web").info.spec["tolerations"] == [{"operator": "Exists"}]


def test_a_new_priority_takes_effect_while_queued(queue: PodQueue) -> None:
    queue.add(pod_info("a", priority=5))
    queue.add(pod_info("b", priority=1))
    queue.update(pod_info("b", priority=9))
    pop(queue, "b")
    pop(queue, "a")
    assert queue.try_pop() is None


@pytest.mark.parametrize("rejectors", [(), FIT])
def test_a_pod_deleted_while_in_flight_does_not_come_back(
    queue: PodQueue, rejectors: tuple[str, ...]
) -> None:
    queue.add(pod_info())
    popped = pop(queue, "web")
    queue.delete("uid-web")
    queue.failed(popped, rejectors)
    assert place(queue) is None
    assert len(queue) == 0


def test_deleted_pods_leave_every_place(queue: PodQueue) -> None:
    queue.add(pod_info("waiting"))
    fail(queue, "waiting", *FIT)
    queue.add(pod_info("active"))
    queue.delete("uid-waiting")
    queue.delete("uid-active")
    queue.delete("uid-unknown")
    queue.report(ROOM)
    assert queue.try_pop() is None


def test_many_moves_keep_order_and_lose_nothing(queue: PodQueue, clock: Clock) -> None:
    names = [f"pod-{n:03}" for n in range(200)]
    for name in names:
        queue.add(pod_info(name))
        clock.now += 0.001
    for _round in range(5):
        for name in names:
            queue.update(pod_info(name))
    assert [popped.info.key for _ in names if (popped := queue.try_pop())] == [
        f"default/{name}" for name in names
    ]


def test_the_log_of_missed_events_is_bounded_and_says_when_it_lost_some() -> None:
    events = [node(f"n{n}") for n in range(4)]
    log = InFlightEvents(limit=2)
    assert log.since(log.position) == []
    for event in events:
        log.append(ClusterEvent(EventKind.NODE_ADD, None, event))
    kept = log.since(2)
    assert kept is not None
    assert [event.new for event in kept] == events[2:]
    assert log.since(1) is None
    log.clear()
    assert log.since(log.position) == []


def test_a_pod_that_failed_goes_behind_those_that_came_meanwhile(
    queue: PodQueue, clock: Clock
) -> None:
    queue.add(pod_info("tried"))
    popped = pop(queue, "tried")
    clock.now += 1
    queue.add(pod_info("fresh"))
    clock.now += 1
    queue.failed(popped, FIT)
    clock.now += 5
    queue.report(ROOM)
    pop(queue, "fresh")
    pop(queue, "tried")
