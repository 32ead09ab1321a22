"""Which cluster events wake a pod that a plugin rejected."""

from typing import Any

import pytest

from control_plane.api.objects import Object
from control_plane.scheduler.framework.cluster_event import (
    WILDCARD,
    ClusterEvent,
    EventKind,
    node_events,
    placed_pod_events,
    waiting_pod_events,
)
from control_plane.scheduler.framework.framework import Framework
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.plugins import PLUGINS
from tests.control_plane.scheduler.builders import (
    container,
    expressions,
    node,
    node_affinity,
    pod,
    pod_info,
    taint,
)

FRAMEWORK = Framework(PLUGINS)
ANY_TAINT = [{"operator": "Exists"}]
NEEDS_SSD = {"affinity": node_affinity(expressions(("disk", "In", ["ssd"])))}
PORT_80 = {"containers": [container(ports=[{"containerPort": 80, "hostPort": 80}])]}
SSD, HDD = {"disk": "ssd"}, {"disk": "hdd"}
BIG, HUGE, TINY = {"cpu": "8"}, {"cpu": "16"}, {"cpu": "1"}
TAINTED = node(taints=[taint("a")])


@pytest.mark.parametrize(
    ("rejector", "waiting", "old", "new", "woken"),
    [
        ("NodeName", {"nodeName": "node-1"}, None, node(), True),
        ("NodeUnschedulable", {}, None, node(), True),
        ("NodeUnschedulable", {}, None, node(unschedulable=True), False),
        ("NodeUnschedulable", {}, node(unschedulable=True), node(), True),
        ("NodeUnschedulable", {}, node(), node(unschedulable=True), False),
        ("TaintToleration", {}, None, node(), True),
        ("TaintToleration", {}, None, TAINTED, False),
        ("TaintToleration", {}, TAINTED, node(), True),
        ("TaintToleration", {}, node(), TAINTED, False),
        ("TaintToleration", {"tolerations": ANY_TAINT}, None, TAINTED, True),
        ("NodeAffinity", NEEDS_SSD, None, node(labels=SSD), True),
        ("NodeAffinity", NEEDS_SSD, None, node(labels=HDD), False),
        ("NodeAffinity", NEEDS_SSD, node(labels=HDD), node(labels=SSD), True),
        ("NodeAffinity", NEEDS_SSD, node(labels=SSD), node(labels={**SSD, "a": "b"}), False),
        ("NodePorts", PORT_80, None, node(), True),
        ("NodeResourcesFit", {"requests": {"cpu": "6"}}, None, node(allocatable=BIG), True),
        ("NodeResourcesFit", {"requests": {"cpu": "6"}}, None, node(), False),
        ("NodeResourcesFit", {"requests": {"cpu": "6"}}, node(), node(allocatable=BIG), True),
        (
            "NodeResourcesFit",
            {"requests": {"cpu": "6"}},
            node(allocatable=HUGE),
            node(allocatable=BIG),
            False,
        ),
        ("NodeResourcesFit", {}, node(), node(labels=SSD), False),
    ],
)
def test_node_events(
    rejector: str, waiting: dict[str, Any], old: Object | None, new: Object, woken: bool
) -> None:
    events = node_events(old, new)
    assert events
    assert woken == any(FRAMEWORK.is_woken(pod_info(**waiting), [rejector], e) for e in events)


def placed(name: str, **spec: Any) -> Object:
    return pod(name, nodeName="node-1", **spec)


@pytest.mark.parametrize(
    ("rejector", "waiting", "gone", "woken"),
    [
        ("NodeResourcesFit", {}, placed("other"), True),
        ("NodePorts", PORT_80, placed("other", **PORT_80), True),
        ("NodePorts", PORT_80, placed("other"), False),
        ("TaintToleration", {}, placed("other"), False),
    ],
)
def test_the_end_of_a_placed_pod(
    rejector: str, waiting: dict[str, Any], gone: Object, woken: bool
) -> None:
    event = ClusterEvent(EventKind.POD_DELETE, gone, None)
    assert FRAMEWORK.is_woken(pod_info(**waiting), [rejector], event) == woken


@pytest.mark.parametrize(
    ("wanted", "before", "after", "woken"),
    [
        ({"cpu": "1"}, {"cpu": "2"}, {"cpu": "1"}, True),
        ({"memory": "1"}, {"cpu": "2"}, {"cpu": "1"}, False),
    ],
)
def test_a_placed_pod_that_shrinks(
    wanted: dict[str, str], before: dict[str, str], after: dict[str, str], woken: bool
) -> None:
    old, new = (PodInfo.of(placed("other", requests=r)) for r in (before, after))
    (event,) = placed_pod_events(old, new)
    assert event.kind is EventKind.POD_SCALED_DOWN
    assert FRAMEWORK.is_woken(pod_info(requests=wanted), ["NodeResourcesFit"], event) == woken


def test_what_changed_in_a_waiting_pod() -> None:
    gated = pod_info(schedulingGates=[{"name": "a"}], requests={"cpu": "2"})
    free = pod_info(tolerations=ANY_TAINT, requests={"cpu": "1"})
    kinds = [event.kind for event in waiting_pod_events(gated, free)]
    assert kinds == [
        EventKind.OWN_POD_GATES,
        EventKind.OWN_POD_TOLERATIONS,
        EventKind.OWN_POD_SCALED_DOWN,
    ]
    assert waiting_pod_events(free, free) == []


def test_a_heartbeat_is_no_event() -> None:
    beat = node()
    beat["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastHeartbeatTime": "a"}]
    later = node()
    later["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastHeartbeatTime": "b"}]
    assert node_events(beat, later) == []
    later["status"]["conditions"][0]["status"] = "Unknown"
    assert [event.kind for event in node_events(beat, later)] == [EventKind.NODE_CONDITIONS]
    assert [event.kind for event in node_events(beat, None)] == [EventKind.NODE_DELETE]


def test_a_wildcard_wakes_whoever_was_rejected() -> None:
    assert FRAMEWORK.is_woken(pod_info(), ["VolumeBinding"], WILDCARD)


def test_a_pod_looks_at_its_own_changes_and_at_others_ends() -> None:
    mine, other = pod_info("mine"), pod_info("other")
    own_change = ClusterEvent(EventKind.OWN_POD_TOLERATIONS, mine.pod, mine.pod)
    assert own_change.concerns(mine)
    assert not own_change.concerns(other)
    gone = ClusterEvent(EventKind.POD_DELETE, mine.pod, None)
    assert not gone.concerns(mine)
    assert gone.concerns(other)
    assert WILDCARD.concerns(mine)
