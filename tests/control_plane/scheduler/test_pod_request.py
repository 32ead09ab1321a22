"""The pod request formula: containers, init containers, sidecars, pod level, overhead, resizes."""

from typing import Any

import pytest

from control_plane.api.objects import Object
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.pod_request import placed_pod_request, pod_request
from tests.control_plane.scheduler.builders import container, pod


def cpu(amount: str, **fields: Any) -> Object:
    return container(requests={"cpu": amount}, **fields)


def sidecar(amount: str) -> Object:
    return cpu(amount, restartPolicy="Always")


CASES: dict[str, tuple[Object, dict[str, int]]] = {
    "nothing requested": ({"containers": [container()]}, {}),
    "containers add up": (
        {"containers": [container(requests={"cpu": "100m", "memory": "1Ki"}), cpu("1")]},
        {"cpu": 1100, "memory": 1024},
    ),
    "fractions of a milli round up": ({"containers": [cpu("0.0001")]}, {"cpu": 1}),
    "a larger init container counts alone": (
        {"containers": [cpu("1")], "initContainers": [cpu("3"), cpu("2")]},
        {"cpu": 3000},
    ),
    "a smaller init container does not count": (
        {"containers": [cpu("2")], "initContainers": [cpu("1")]},
        {"cpu": 2000},
    ),
    "sidecars run beside the containers": (
        {"containers": [cpu("1")], "initContainers": [sidecar("500m")]},
        {"cpu": 1500},
    ),
    "an init container runs beside earlier sidecars": (
        {"containers": [cpu("1")], "initContainers": [sidecar("1"), cpu("2"), sidecar("100m")]},
        {"cpu": 3000},
    ),
    "an init container before the sidecar runs alone": (
        {"containers": [cpu("1")], "initContainers": [cpu("2"), sidecar("1")]},
        {"cpu": 2000},
    ),
    "each resource has its own peak": (
        {
            "containers": [container(requests={"cpu": "1", "memory": "10"})],
            "initContainers": [container(requests={"cpu": "2", "memory": "5"})],
        },
        {"cpu": 2000, "memory": 10},
    ),
    "pod level replaces cpu, memory and huge pages only": (
        {
            "containers": [container(requests={"cpu": "1", "example.com/gpu": "2"})],
            "resources": {
                "requests": {"cpu": "500m", "hugepages-2Mi": "2Mi", "example.com/gpu": "9"}
            },
        },
        {"cpu": 500, "hugepages-2Mi": 2 * 1024 * 1024, "example.com/gpu": 2},
    ),
    "overhead comes on top": (
        {
            "containers": [cpu("1")],
            "resources": {"requests": {"cpu": "2"}},
            "overhead": {"cpu": "250m", "memory": "1Mi"},
        },
        {"cpu": 2250, "memory": 1024 * 1024},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_request(case: str) -> None:
    spec, expected = CASES[case]
    assert pod_request(spec) == expected


def test_scoring_assumes_a_default_for_each_container_that_requests_nothing() -> None:
    info = PodInfo.of(pod(containers=[container("a"), container("b", requests={"cpu": "1"})]))
    assert info.request == {"cpu": 1000}
    assert info.scoring_request == {"cpu": 1100, "memory": 2 * 209715200}


def _resized(allocated: str, running: str, **status: Any) -> Object:
    placed = pod(requests={"cpu": "1"}, nodeName="node-1")
    placed["status"] |= {
        "containerStatuses": [
            {
                "name": "main",
                "allocatedResources": {"cpu": allocated},
                "resources": {"requests": {"cpu": running}},
            }
        ],
        **status,
    }
    return placed


INFEASIBLE = [{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]
DEFERRED = [{"type": "PodResizePending", "status": "True", "reason": "Deferred"}]


@pytest.mark.parametrize(
    ("placed", "expected"),
    [
        (_resized("1", "1"), 1000),
        (_resized("2", "1"), 2000),
        (_resized("1", "3"), 3000),
        (_resized("500m", "500m", conditions=DEFERRED), 1000),
        (_resized("500m", "600m", conditions=INFEASIBLE), 600),
    ],
)
def test_a_placed_pod_holds_the_largest_of_wanted_and_granted(
    placed: Object, expected: int
) -> None:
    assert placed_pod_request(placed) == {"cpu": expected}
    assert PodInfo.of(placed).request == {"cpu": expected}


def test_a_pod_that_waits_is_counted_by_its_spec_alone() -> None:
    waiting = _resized("3", "3")
    del waiting["spec"]["nodeName"]
    assert PodInfo.of(waiting).request == {"cpu": 1000}


def test_host_ports_of_containers_and_sidecars() -> None:
    ports = [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 81}]
    side = [{"containerPort": 53, "hostPort": 53, "protocol": "UDP", "hostIP": "10.0.0.1"}]
    info = PodInfo.of(
        pod(
            containers=[container(ports=ports)],
            initContainers=[
                container("side", ports=side, restartPolicy="Always"),
                container("init", ports=[{"containerPort": 9, "hostPort": 9}]),
            ],
        )
    )
    assert info.host_ports == (("TCP", "0.0.0.0", 8080), ("UDP", "10.0.0.1", 53))
