"""The score each plugin gives, raw and normalised, by upstream's formulas."""

import pytest

from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot
from control_plane.scheduler.plugins import PLUGINS
from control_plane.scheduler.plugins.image_locality import MEBIBYTE, tagged
from tests.control_plane.scheduler.builders import (
    container,
    expressions,
    node_affinity,
    node_info,
    pod_info,
    taint,
)


def scores(plugin_name: str, pod: PodInfo, *nodes: NodeInfo) -> list[int] | None:
    """Score the nodes by one plugin; None when it has nothing to say."""
    plugin = next(plugin for plugin in PLUGINS if plugin.name == plugin_name)
    state = CycleState()
    if plugin.pre_score and not plugin.pre_score(state, pod, Snapshot.of(nodes), nodes):
        return None
    assert plugin.score
    raw = [plugin.score(state, pod, node) for node in nodes]
    return plugin.normalize(raw) if plugin.normalize else raw


def test_weights_are_upstreams() -> None:
    weights = {plugin.name: plugin.weight for plugin in PLUGINS if plugin.score}
    assert weights == {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
        "NodeResourcesBalancedAllocation": 1,
        "ImageLocality": 1,
    }


def test_least_allocated_is_the_mean_free_share() -> None:
    half = pod_info("there", requests={"cpu": "2", "memory": "4Gi"})
    pod = pod_info(requests={"cpu": "1", "memory": "2Gi"})
    empty, used = node_info("node-1"), node_info("node-2", half)
    assert scores("NodeResourcesFit", pod, empty, used) == [75, 25]


def test_least_allocated_counts_a_default_for_pods_without_requests() -> None:
    node = node_info("node-1", allocatable={"cpu": "1", "memory": "1000Mi"})
    assert scores("NodeResourcesFit", pod_info(), node) == [(90 + 80) // 2]


def test_least_allocated_gives_nothing_for_what_is_overcommitted() -> None:
    node = node_info("node-1", allocatable={"cpu": "1", "memory": "1000Mi"})
    pod = pod_info(requests={"cpu": "2", "memory": "500Mi"})
    assert scores("NodeResourcesFit", pod, node) == [25]


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ({"cpu": "2", "memory": "4Gi"}, 100),
        ({"cpu": "4"}, 50),
        ({"cpu": "1", "memory": "4Gi"}, 87),
        ({"cpu": "40", "memory": "8Gi"}, 100),
    ],
)
def test_balanced_allocation(requests: dict[str, str], expected: int) -> None:
    pod = pod_info(requests=requests)
    assert scores("NodeResourcesBalancedAllocation", pod, node_info()) == [expected]


def test_balanced_allocation_leaves_out_pods_without_requests() -> None:
    assert scores("NodeResourcesBalancedAllocation", pod_info(), node_info()) is None


def test_taint_toleration_prefers_fewer_untolerated_soft_taints() -> None:
    soft = [taint(key, "PreferNoSchedule") for key in ("a", "b")]
    nodes = (node_info("n0"), node_info("n1", taints=soft[:1]), node_info("n2", taints=soft))
    assert scores("TaintToleration", pod_info(), *nodes) == [100, 50, 0]
    tolerant = pod_info(tolerations=[{"operator": "Exists", "effect": "PreferNoSchedule"}])
    assert scores("TaintToleration", tolerant, *nodes) == [100, 100, 100]
    hard_only = pod_info(tolerations=[{"operator": "Exists", "effect": "NoSchedule"}])
    assert scores("TaintToleration", hard_only, *nodes) == [100, 50, 0]
    assert scores("TaintToleration", pod_info(), nodes[0]) is None


def test_node_affinity_adds_up_the_weights_of_matching_preferences() -> None:
    preferred = [
        (20, expressions(("disk", "In", ["ssd"]))),
        (60, expressions(("zone", "Exists", []))),
        (5, {}),
    ]
    pod = pod_info(affinity=node_affinity(preferred=preferred))
    nodes = (
        node_info("n0"),
        node_info("n1", labels={"disk": "ssd"}),
        node_info("n2", labels={"disk": "ssd", "zone": "a"}),
    )
    assert scores("NodeAffinity", pod, *nodes) == [0, 25, 100]
    assert scores("NodeAffinity", pod, nodes[0]) == [0]
    assert scores("NodeAffinity", pod_info(), *nodes) is None


def test_image_locality_prefers_the_node_that_holds_the_image() -> None:
    images = {"registry.example/big:1": 1000 * MEBIBYTE}
    with_image, without = node_info("n0", images=images), node_info("n1")
    pod = pod_info(containers=[container(image="registry.example/big:1")])
    half_spread = (500 - 23) * 100 // (1000 - 23)
    assert scores("ImageLocality", pod, with_image, without) == [half_spread, 0]
    assert scores("ImageLocality", pod, with_image) == [100]
    assert scores("ImageLocality", pod_info(), with_image) is None


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("busybox", "busybox:latest"),
        ("busybox:1", "busybox:1"),
        ("host:5000/busybox", "host:5000/busybox:latest"),
        ("busybox@sha256:00", "busybox@sha256:00"),
    ],
)
def test_image_names_get_a_tag(image: str, expected: str) -> None:
    assert tagged(image) == expected
