"""What the informers' events do to cache and queue."""

import logging

import pytest

from control_plane.scheduler.cache import Cache
from control_plane.scheduler.framework.framework import Framework
from control_plane.scheduler.plugins import PLUGINS
from control_plane.scheduler.pod_queue import PodQueue
from control_plane.scheduler.queued_pod import Place
from control_plane.scheduler.watch_handlers import WatchHandlers
from tests.control_plane.scheduler.builders import node, pod, pod_info

WAITING = pod()
PLACED = pod(nodeName="node-1", requests={"cpu": "1"})


class Fed:
    """Cache and queue behind the handlers."""

    def __init__(self) -> None:
        self.cache = Cache()
        self.queue = PodQueue(Framework(PLUGINS))
        self.handlers = WatchHandlers(self.cache, self.queue, "default-scheduler")
        self.handlers.on_node("add", None, node())

    def place(self, name: str = "web") -> Place | None:
        return self.queue.place_of(f"uid-{name}")

    def pods_on_node(self) -> set[str]:
        return set(self.cache.snapshot().by_name["node-1"].pods)


@pytest.fixture
def fed() -> Fed:
    return Fed()


def test_a_pod_without_a_node_is_queued(fed: Fed) -> None:
    fed.handlers.on_pod("add", None, WAITING)
    assert fed.place() is Place.ACTIVE


def test_pods_of_another_scheduler_are_left_alone(fed: Fed) -> None:
    fed.handlers.on_pod("add", None, pod(schedulerName="mine"))
    assert fed.place() is None


def test_pods_of_another_scheduler_still_take_room(fed: Fed) -> None:
    fed.handlers.on_pod("add", None, pod(schedulerName="mine", nodeName="node-1"))
    assert fed.pods_on_node() == {"uid-web"}


def test_a_pod_that_got_its_node_moves_from_queue_to_cache(fed: Fed) -> None:
    fed.handlers.on_pod("add", None, WAITING)
    fed.handlers.on_pod("update", WAITING, PLACED)
    assert fed.place() is None
    assert fed.pods_on_node() == {"uid-web"}


def test_a_pod_that_is_gone_leaves_both_and_wakes_others(fed: Fed) -> None:
    fed.handlers.on_pod("add", None, PLACED)
    fed.queue.add(pod_info("other"))
    popped = fed.queue.try_pop()
    assert popped
    fed.queue.failed(popped, ("NodeResourcesFit",))
    fed.handlers.on_pod("delete", PLACED, None)
    assert fed.pods_on_node() == set()
    assert fed.place("other") is Place.BACKOFF


def test_a_pod_deleted_before_its_booking_was_confirmed_is_forgotten(fed: Fed) -> None:
    fed.handlers.on_pod("add", None, WAITING)
    fed.cache.assume(pod_info(), "node-1")
    fed.handlers.on_pod("delete", WAITING, None)
    assert fed.pods_on_node() == set()


def test_a_late_update_of_a_pod_already_bound_does_not_queue_it_again(fed: Fed) -> None:
    fed.handlers.on_pod("add", None, WAITING)
    popped = fed.queue.try_pop()
    assert popped
    fed.cache.assume(popped.info, "node-1")
    fed.queue.done(popped)
    fed.handlers.on_pod("update", WAITING, WAITING)
    assert fed.place() is None


def test_a_pod_replaced_under_its_name_is_another_pod(fed: Fed) -> None:
    fed.handlers.on_pod("add", None, PLACED)
    other = pod()
    other["metadata"]["uid"] = "uid-second"
    fed.handlers.on_pod("update", PLACED, other)
    assert fed.pods_on_node() == set()
    assert fed.place("second") is Place.ACTIVE


def test_a_pod_with_a_quantity_that_does_not_parse_is_ignored(
    fed: Fed, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        fed.handlers.on_pod("add", None, pod(requests={"cpu": "much"}))
    assert fed.place() is None
    assert "pod ignored pod=default/web" in caplog.text


def test_node_events_reach_waiting_pods_and_the_cache(fed: Fed) -> None:
    fed.queue.add(pod_info(requests={"cpu": "6"}))
    popped = fed.queue.try_pop()
    assert popped
    fed.queue.failed(popped, ("NodeResourcesFit",))
    bigger = node(allocatable={"cpu": "8"})
    fed.handlers.on_node("update", node(), bigger)
    assert fed.place() is Place.BACKOFF
    assert fed.cache.snapshot().by_name["node-1"].allocatable["cpu"] == 8000
    fed.handlers.on_node("delete", bigger, None)
    assert fed.cache.snapshot().nodes == ()
