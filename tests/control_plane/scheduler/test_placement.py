"""One scheduling decision: which node wins, and the exact message when none does."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from control_plane.scheduler.framework.cluster_event import ClusterEvent, EventKind
from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.diagnosis import Diagnosis, event_note
from control_plane.scheduler.framework.framework import Framework
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.placement import (
    Placement,
    Search,
    enough_feasible,
    place,
)
from control_plane.scheduler.framework.plugin import (
    NodeStatuses,
    Plugin,
    PostFilterResult,
    PreFilterResult,
)
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot
from control_plane.scheduler.framework.status import Status, broken, unschedulable
from control_plane.scheduler.plugins import PLUGINS
from tests.control_plane.scheduler.builders import (
    named,
    node_affinity,
    node_info,
    pod,
    pod_info,
    taint,
)

FRAMEWORK = Framework(PLUGINS)


def chosen(pod: PodInfo, nodes: Iterable[NodeInfo], search: Search | None = None) -> str:
    outcome = place(FRAMEWORK, pod, Snapshot.of(nodes), search or Search())
    assert isinstance(outcome, Placement)
    return outcome.node_name


def diagnosis(
    pod: PodInfo, nodes: Iterable[NodeInfo], framework: Framework = FRAMEWORK
) -> Diagnosis:
    outcome = place(framework, pod, Snapshot.of(nodes), Search())
    assert isinstance(outcome, Diagnosis)
    return outcome


def test_the_emptier_node_wins() -> None:
    load = pod_info("load", requests={"cpu": "2", "memory": "4Gi"})
    nodes = [node_info("busy", load), node_info("idle")]
    assert chosen(pod_info(requests={"cpu": "1", "memory": "2Gi"}), nodes) == "idle"


def test_a_soft_taint_weighs_more_than_room() -> None:
    load = pod_info("load", requests={"cpu": "1", "memory": "2Gi"})
    nodes = [
        node_info("idle", taints=[taint("slow", "PreferNoSchedule")]),
        node_info("busy", load),
    ]
    assert chosen(pod_info(), nodes) == "busy"


def test_equal_nodes_go_to_the_one_evaluated_first() -> None:
    nodes = [node_info("a"), node_info("b"), node_info("c")]
    assert [chosen(pod_info(), nodes, Search(start)) for start in range(4)] == ["a", "b", "c", "a"]


def test_the_only_node_named_by_affinity_wins() -> None:
    nodes = [node_info("a"), node_info("b")]
    assert chosen(pod_info(affinity=node_affinity(named("b"))), nodes) == "b"


def test_the_nominated_node_is_taken_if_it_fits() -> None:
    load = pod_info("load", requests={"cpu": "3"})
    waiting = pod(requests={"cpu": "1"})
    waiting["status"]["nominatedNodeName"] = "busy"
    nodes = [node_info("idle"), node_info("busy", load)]
    assert chosen(PodInfo.of(waiting), nodes) == "busy"
    waiting["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "2"
    assert chosen(PodInfo.of(waiting), nodes) == "idle"


def test_no_nodes() -> None:
    found = diagnosis(pod_info(), [])
    assert found.message == "no nodes available to schedule pods"
    assert found.rejectors == frozenset()


def test_reasons_are_counted_and_sorted_as_text() -> None:
    small = [node_info(f"small-{n}", allocatable={"cpu": "1"}) for n in range(10)]
    tainted = [node_info(f"tainted-{n}", taints=[taint("gpu")]) for n in range(2)]
    cordoned = node_info("cordoned", unschedulable=True)
    full = node_info("full", allocatable={"cpu": "1", "pods": "0"})
    found = diagnosis(pod_info(requests={"cpu": "2"}), [*small, *tainted, cordoned, full])
    assert found.message == (
        "0/14 nodes are available: 1 Too many pods, 1 node(s) were unschedulable, "
        "11 Insufficient cpu, 2 node(s) had untolerated taint(s)."
    )
    assert found.rejectors == {"NodeResourcesFit", "TaintToleration", "NodeUnschedulable"}


def test_nodes_that_affinity_leaves_out_are_counted() -> None:
    only_b = pod_info(affinity=node_affinity(named("b")), requests={"cpu": "9"})
    found = diagnosis(only_b, [node_info("a"), node_info("b"), node_info("c")])
    assert found.message == (
        "0/3 nodes are available: 1 Insufficient cpu, "
        "2 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    )


def test_a_refusal_before_any_node_is_looked_at() -> None:
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    found = diagnosis(pod_info(volumes=[claim]), [node_info("a"), node_info("b")])
    assert found.message == (
        "0/2 nodes are available: VolumeBinding is not supported by this scheduler yet, "
        "but spec.volumes[0].persistentVolumeClaim requires it."
    )
    assert found.rejectors == {"VolumeBinding"}


def _narrowing(name: str, *nodes: str) -> Plugin:
    def pre_filter(_state: CycleState, _pod: PodInfo, _snapshot: Snapshot) -> PreFilterResult:
        return PreFilterResult(node_names=frozenset(nodes))

    return Plugin(name, pre_filter=pre_filter)


def test_plugins_that_agree_on_no_node() -> None:
    framework = Framework((*PLUGINS, _narrowing("One", "a"), _narrowing("Two", "b")))
    found = diagnosis(pod_info(), [node_info("a"), node_info("b")], framework)
    assert found.message == (
        "0/2 nodes are available: node(s) didn't satisfy plugin(s) [One Two] simultaneously."
    )


def test_a_single_plugin_that_leaves_no_node() -> None:
    framework = Framework((*PLUGINS, _narrowing("One")))
    found = diagnosis(pod_info(), [node_info("a")], framework)
    assert found.message == "0/1 nodes are available: node(s) didn't satisfy plugin One."


def test_post_filter_plugins_have_the_last_word() -> None:
    def make_room(
        _state: CycleState, _pod: PodInfo, _snapshot: Snapshot, statuses: NodeStatuses
    ) -> PostFilterResult:
        return PostFilterResult("a", (f"preemption: tried {len(statuses)}",))

    framework = Framework((*PLUGINS, Plugin("Room", post_filter=make_room)))
    found = diagnosis(pod_info(requests={"cpu": "9"}), [node_info("a")], framework)
    assert found.message == "0/1 nodes are available: 1 Insufficient cpu. preemption: tried 1"
    assert found.nominated_node == "a"


def test_a_plugin_that_cannot_decide_makes_it_an_error() -> None:
    def fails(_state: CycleState, _pod: PodInfo, _node: NodeInfo) -> Status:
        return broken("Broken", "no idea")

    framework = Framework((*PLUGINS, Plugin("Broken", filter=fails)))
    assert diagnosis(pod_info(), [node_info("a")], framework).is_error


@pytest.mark.parametrize(
    ("nodes", "percentage", "enough"),
    [
        (0, 0, 0),
        (99, 0, 99),
        (99, 10, 99),
        (100, 0, 100),
        (1000, 0, 420),
        (6000, 0, 300),
        (20000, 0, 1000),
        (1000, 5, 100),
        (1000, 70, 700),
        (1000, 100, 1000),
    ],
)
def test_how_many_feasible_nodes_are_enough(nodes: int, percentage: int, enough: int) -> None:
    assert enough_feasible(nodes, percentage) == enough


def test_the_search_ends_once_enough_nodes_are_feasible() -> None:
    nodes = Snapshot.of(node_info(f"n{n}") for n in range(300))
    outcome = place(FRAMEWORK, pod_info(), nodes, Search(start=250, percentage=1))
    assert isinstance(outcome, Placement)
    assert (outcome.evaluated, outcome.feasible, outcome.node_name) == (100, 100, "n250")


def test_nodes_are_tried_zone_by_zone_in_turn() -> None:
    def in_zone(name: str, zone: str) -> NodeInfo:
        return node_info(name, labels={"topology.kubernetes.io/zone": zone} if zone else None)

    nodes = [in_zone("a1", "a"), in_zone("a2", "a"), in_zone("a3", "a"), in_zone("b1", "b")]
    snapshot = Snapshot.of([*nodes, in_zone("x", "")])
    assert [node.name for node in snapshot.nodes] == ["a1", "b1", "x", "a2", "a3"]


def test_an_event_note_is_cut_to_what_events_carry() -> None:
    assert event_note("short") == "short"
    cut = event_note("ä" * 600)
    assert cut.endswith("ä ...")
    assert len(cut.encode()) <= 1024


def test_a_table_must_name_plugins_once_and_be_able_to_bind() -> None:
    with pytest.raises(ValueError, match="twice"):
        Framework((*PLUGINS, PLUGINS[0]))
    with pytest.raises(ValueError, match="orders the queue"):
        Framework(tuple(plugin for plugin in PLUGINS if not plugin.queue_key))
    with pytest.raises(ValueError, match="binds"):
        Framework(tuple(plugin for plugin in PLUGINS if not plugin.bind))


def test_reserve_gives_back_in_reverse_order_when_a_plugin_refuses() -> None:
    given_back: list[str] = []

    def unreserve(name: str) -> Plugin:
        return Plugin(name, unreserve=lambda _state, _pod, _node: given_back.append(name))

    refuse = Plugin("Full", reserve=lambda _state, _pod, _node: unschedulable("Full", "no"))
    framework = Framework((*PLUGINS, unreserve("First"), unreserve("Second"), refuse))
    assert framework.reserve(CycleState(), pod_info(), "a") == unschedulable("Full", "no")
    assert given_back == ["Second", "First"]


async def test_permit_returns_the_first_refusal() -> None:
    async def allow(_state: CycleState, _pod: PodInfo, _node: str) -> None:
        return None

    async def refuse(_state: CycleState, _pod: PodInfo, _node: str) -> Status:
        return unschedulable("Gate", "closed")

    framework = Framework((*PLUGINS, Plugin("Open", permit=allow), Plugin("Gate", permit=refuse)))
    refusal = await framework.permit(CycleState(), pod_info(), "a")
    assert refusal == unschedulable("Gate", "closed")
    assert await Framework(PLUGINS).permit(CycleState(), pod_info(), "a") is None


def test_every_event_a_plugin_waits_for_can_wake_its_pods() -> None:
    """A hint must cope with every event of its kind, whatever the pod asks for."""
    old, new = node_info("n", taints=[taint("a")]).node, node_info("n").node
    there, smaller = pod("there", requests={"cpu": "2"}), pod("there", requests={"cpu": "1"})
    for plugin in PLUGINS:
        for kind, hint in plugin.wakes.items():
            is_node = kind.name.startswith("NODE")
            before, after = (old, new) if is_node else (there, smaller)
            event = ClusterEvent(kind, before, after)
            added, deleted = replace(event, old=None), replace(event, new=None)
            for each in (event, added, deleted):
                assert hint(pod_info(), each) in (True, False)
    assert EventKind.NODE_ADD in next(p for p in PLUGINS if p.name == "NodeName").wakes
