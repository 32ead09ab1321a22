"""The scheduler on a real API server: bindings, conditions and events as a client sees them."""

from collections import Counter

from tests.control_plane.scheduler.scheduling import Scheduling


async def test_a_pod_gets_a_node(scheduling: Scheduling) -> None:
    await scheduling.add_node("node-1")
    async with scheduling.scheduler():
        await scheduling.add_pod("web")
        await scheduling.until_bound("web")
        await scheduling.until(lambda: scheduling.notes("web", "Scheduled"), "the event")
    assert scheduling.node_of("web") == "node-1"
    assert scheduling.scheduled_condition("web")["status"] == "True"
    assert scheduling.notes("web", "Scheduled") == ["Successfully assigned default/web to node-1"]


async def test_pods_that_were_there_before_the_scheduler_are_counted_and_scheduled(
    scheduling: Scheduling,
) -> None:
    await scheduling.add_node("node-1", allocatable={"cpu": "2"})
    await scheduling.add_pod("there", nodeName="node-1", requests={"cpu": "1500m"})
    await scheduling.add_pod("large", requests={"cpu": "1"})
    await scheduling.add_pod("small", requests={"cpu": "500m"})
    async with scheduling.scheduler():
        await scheduling.until_bound("small")
        await scheduling.until_refused("large", "0/1 nodes are available: 1 Insufficient cpu.")


async def test_without_nodes_a_pod_waits_for_one(scheduling: Scheduling) -> None:
    async with scheduling.scheduler():
        await scheduling.add_pod("web")
        await scheduling.until_refused("web", "no nodes available to schedule pods")
        assert scheduling.scheduled_condition("web")["reason"] == "Unschedulable"
        await scheduling.add_node("node-1")
        await scheduling.until_bound("web")


async def test_every_reason_is_counted_and_room_made_later_is_used(
    scheduling: Scheduling,
) -> None:
    await scheduling.add_node("full-1")
    await scheduling.add_node("full-2", allocatable={"cpu": "1"})
    await scheduling.add_node("tainted", taints=[{"key": "gpu", "effect": "NoSchedule"}])
    await scheduling.add_node("cordoned", unschedulable=True)
    await scheduling.add_pod("filler", nodeName="full-1", requests={"cpu": "3"})
    async with scheduling.scheduler():
        await scheduling.add_pod("web", requests={"cpu": "2"})
        await scheduling.until_refused(
            "web",
            "0/4 nodes are available: 1 node(s) had untolerated taint(s), "
            "1 node(s) were unschedulable, 2 Insufficient cpu.",
        )
        await scheduling.delete_pod("filler")
        await scheduling.until_bound("web")
    assert scheduling.node_of("web") == "full-1"


async def test_a_requirement_that_is_not_implemented_keeps_a_pod_pending_and_says_so(
    scheduling: Scheduling,
) -> None:
    await scheduling.add_node("node-1")
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
    }
    async with scheduling.scheduler():
        await scheduling.add_pod("web", topologySpreadConstraints=[spread])
        await scheduling.until_refused(
            "web",
            "0/1 nodes are available: PodTopologySpread is not supported by this scheduler yet, "
            "but spec.topologySpreadConstraints[0] requires it.",
        )
    assert scheduling.node_of("web") == ""


async def test_a_gated_pod_is_scheduled_once_its_gate_is_removed(scheduling: Scheduling) -> None:
    await scheduling.add_node("node-1")
    async with scheduling.scheduler():
        await scheduling.add_pod("gated", schedulingGates=[{"name": "example.com/wait"}])
        await scheduling.add_pod("free")
        await scheduling.until_bound("free")
        assert scheduling.node_of("gated") == ""
        assert scheduling.scheduled_condition("gated")["reason"] == "SchedulingGated"
        await scheduling.patch_pod("gated", {"spec": {"schedulingGates": None}})
        await scheduling.until_bound("gated")
    assert scheduling.notes("gated", "FailedScheduling") == []


async def test_pods_go_to_the_scheduler_they_ask_for(scheduling: Scheduling) -> None:
    await scheduling.add_node("node-1")
    await scheduling.add_pod("mine", schedulerName="mine")
    await scheduling.add_pod("web")
    async with scheduling.scheduler():
        await scheduling.until_bound("web")
        assert scheduling.node_of("mine") == ""
    async with scheduling.scheduler(scheduler_name="mine"):
        await scheduling.until_bound("mine")


async def test_a_second_scheduler_takes_over_when_the_leader_ends(scheduling: Scheduling) -> None:
    await scheduling.add_node("node-1")
    async with scheduling.scheduler(leader_elect=True, identity="first"):
        await scheduling.add_pod("a")
        await scheduling.until_bound("a")
    async with scheduling.scheduler(leader_elect=True, identity="second"):
        await scheduling.add_pod("b")
        await scheduling.until_bound("b")


async def test_two_schedulers_at_once_still_bind_every_pod_once(scheduling: Scheduling) -> None:
    await scheduling.add_node("node-1")
    await scheduling.add_node("node-2")
    pods = [f"pod-{number:02}" for number in range(40)]
    async with scheduling.scheduler(), scheduling.scheduler():
        await scheduling.add_many(*map(scheduling.add_pod, pods))
        await scheduling.until_bound(*pods)
        await scheduling.until(
            lambda: all(scheduling.notes(name, "Scheduled") for name in pods), "the events"
        )
    for name in pods:
        assert set(scheduling.notes(name, "Scheduled")) == {
            f"Successfully assigned default/{name} to {scheduling.node_of(name)}"
        }


async def test_scheduling_goes_on_when_the_api_server_comes_back(scheduling: Scheduling) -> None:
    await scheduling.add_node("node-1")
    async with scheduling.scheduler():
        await scheduling.add_pod("before")
        await scheduling.until_bound("before")
        await scheduling.server.stop()
        await scheduling.server.start()
        await scheduling.add_pod("after")
        await scheduling.until_bound("after")


async def test_a_thousand_pods_fill_a_hundred_nodes_and_none_is_overcommitted(
    scheduling: Scheduling,
) -> None:
    nodes = [f"node-{number:03}" for number in range(100)]
    size = {"cpu": "1", "memory": "1Gi"}
    await scheduling.add_many(*(scheduling.add_node(name, allocatable=size) for name in nodes))
    pods = [f"pod-{number:04}" for number in range(1000)]
    async with scheduling.scheduler():
        tenth = {"cpu": "100m", "memory": "100Mi"}
        await scheduling.add_many(*(scheduling.add_pod(name, requests=tenth) for name in pods))
        await scheduling.until_bound(*pods)
        await scheduling.add_pod("one-too-many", requests={"cpu": "1m"})
        await scheduling.until_refused(
            "one-too-many", "0/100 nodes are available: 100 Insufficient cpu."
        )
    placed = Counter(scheduling.node_of(name) for name in pods)
    assert placed == dict.fromkeys(nodes, 10)
