"""The cache: what is booked on which node, and snapshots that do not change."""

from control_plane.scheduler.cache import Cache
from control_plane.scheduler.framework.pod_info import PodInfo
from tests.control_plane.scheduler.builders import container, node, pod, pod_info


def placed(name: str, node_name: str, cpu: str = "1") -> PodInfo:
    return pod_info(name, nodeName=node_name, requests={"cpu": cpu})


def requested(cache: Cache, node_name: str = "node-1") -> int:
    return cache.snapshot().by_name[node_name].requested.get("cpu", 0)


def test_a_booking_counts_until_it_is_forgotten() -> None:
    cache = Cache()
    cache.set_node(node())
    cache.assume(pod_info("a", requests={"cpu": "1"}), "node-1")
    assert cache.is_assumed("uid-a")
    assert requested(cache) == 1000
    assert cache.forget("uid-a")
    assert requested(cache) == 0
    assert not cache.forget("uid-a")


def test_a_confirmed_booking_counts_once_and_cannot_be_forgotten() -> None:
    cache = Cache()
    cache.set_node(node())
    cache.assume(pod_info("a", requests={"cpu": "1"}), "node-1")
    cache.set_pod(placed("a", "node-1"))
    assert requested(cache) == 1000
    assert not cache.is_assumed("uid-a")
    assert not cache.forget("uid-a")
    assert requested(cache) == 1000
    assert cache.remove_pod("uid-a")
    assert not cache.remove_pod("uid-a")
    assert requested(cache) == 0


def test_a_pod_that_turns_out_to_be_elsewhere_moves() -> None:
    cache = Cache()
    cache.set_node(node("node-1"))
    cache.set_node(node("node-2"))
    cache.assume(pod_info("a", requests={"cpu": "1"}), "node-1")
    cache.set_pod(placed("a", "node-2"))
    assert (requested(cache, "node-1"), requested(cache, "node-2")) == (0, 1000)


def test_a_resized_pod_counts_with_its_new_size() -> None:
    cache = Cache()
    cache.set_node(node())
    cache.set_pod(placed("a", "node-1", "1"))
    cache.set_pod(placed("a", "node-1", "3"))
    assert requested(cache) == 3000


def test_pods_are_remembered_while_their_node_is_away() -> None:
    cache = Cache()
    cache.set_pod(placed("a", "node-1"))
    assert cache.snapshot().nodes == ()
    cache.set_node(node())
    assert requested(cache) == 1000
    cache.remove_node("node-1")
    assert cache.snapshot().nodes == ()
    cache.set_node(node())
    assert requested(cache) == 1000


def test_a_node_without_pods_is_forgotten() -> None:
    cache = Cache()
    cache.set_node(node())
    cache.remove_node("node-1")
    cache.remove_node("node-1")
    assert cache.snapshot().by_name == {}


def test_a_snapshot_does_not_change_and_is_made_only_when_something_did() -> None:
    cache = Cache()
    cache.set_node(node())
    before = cache.snapshot()
    assert cache.snapshot() is before
    cache.assume(pod_info("a", requests={"cpu": "1"}), "node-1")
    assert before.by_name["node-1"].requested == {}
    assert cache.snapshot() is not before


def test_host_ports_come_and_go_with_their_pods() -> None:
    cache = Cache()
    cache.set_node(node())
    ports = [container(ports=[{"containerPort": 80, "hostPort": 80}])]
    cache.set_pod(PodInfo.of(pod("a", nodeName="node-1", containers=ports)))
    assert cache.snapshot().by_name["node-1"].ports == (("TCP", "0.0.0.0", 80),)
    cache.remove_pod("uid-a")
    assert cache.snapshot().by_name["node-1"].ports == ()


def test_images_are_counted_over_the_nodes() -> None:
    cache = Cache()
    cache.set_node(node("node-1", images={"a": 1, "b": 1}))
    cache.set_node(node("node-2", images={"a": 1}))
    assert dict(cache.snapshot().image_nodes) == {"a": 2, "b": 1}
    cache.set_node(node("node-1", images={"a": 1}))
    assert dict(cache.snapshot().image_nodes) == {"a": 2}
    cache.remove_node("node-2")
    assert dict(cache.snapshot().image_nodes) == {"a": 1}


def test_node_order_follows_zones_as_they_change() -> None:
    cache = Cache()
    zone = "topology.kubernetes.io/zone"
    for name, label in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        cache.set_node(node(name, labels={zone: label}))
    assert [info.name for info in cache.snapshot().nodes] == ["a1", "b1", "a2"]
    cache.set_node(node("b1", labels={zone: "a"}))
    assert [info.name for info in cache.snapshot().nodes] == ["a1", "a2", "b1"]
