"""The subsets of Endpoints, the writes they lead to, and their truncation, as tables."""

from typing import Any

import pytest

from control_plane.api.objects import Object, annotations_of, labels_of
from control_plane.controllers.endpoints.controller import OVER_CAPACITY, plan
from control_plane.controllers.endpoints.subsets import subsets_of, truncated
from control_plane.controllers.endpoints.trigger_time import ANNOTATION
from tests.control_plane.controllers.workloads import service

HTTP = {"name": "http", "port": 80, "targetPort": 8080}
DNS = {"name": "dns", "port": 53, "targetPort": "dns", "protocol": "UDP"}


def pod(
    number: int,
    *,
    ready: bool = True,
    phase: str = "Running",
    deleted: bool = False,
    ips: tuple[str, ...] | None = None,
    **spec: Any,
) -> Object:
    name = f"p{number}"
    addresses = (f"10.0.0.{number}",) if ips is None else ips
    meta = {"name": name, "namespace": "ns", "uid": name}
    return {
        "metadata": meta | ({"deletionTimestamp": "2026-01-02T03:04:05Z"} if deleted else {}),
        "spec": {"nodeName": "n1", "containers": [{"name": "app"}], **spec},
        "status": {
            "phase": phase,
            "podIPs": [{"ip": address} for address in addresses],
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def offering_dns(number: int, protocol: str = "UDP", **spec: Any) -> Object:
    port = {"name": "dns", "containerPort": 5353, "protocol": protocol}
    return pod(number, **{"containers": [{"name": "app", "ports": [port]}], **spec})


def shown(subsets: list[Object]) -> list[tuple[list[str], list[str], list[int]]]:
    """Return of each subset the ready and the waiting addresses, and the port numbers."""
    return [
        (
            [one["ip"] for one in subset.get("addresses", [])],
            [one["ip"] for one in subset.get("notReadyAddresses", [])],
            [port["port"] for port in subset.get("ports", [])],
        )
        for subset in subsets
    ]


SIDECAR = {
    "name": "side",
    "restartPolicy": "Always",
    "ports": [{"name": "dns", "containerPort": 5300, "protocol": "UDP"}],
}


@pytest.mark.parametrize(
    ("ports", "pods", "expected"),
    [
        pytest.param([HTTP], [], [], id="no pods"),
        pytest.param(
            [HTTP], [pod(2), pod(1)], [(["10.0.0.1", "10.0.0.2"], [], [8080])], id="sorted"
        ),
        pytest.param(
            [HTTP],
            [pod(1), pod(2, ready=False)],
            [(["10.0.0.1"], ["10.0.0.2"], [8080])],
            id="not ready",
        ),
        pytest.param([HTTP], [pod(1, phase="Failed"), pod(2, phase="Succeeded")], [], id="ended"),
        pytest.param([HTTP], [pod(1, deleted=True), pod(2, ips=())], [], id="going, homeless"),
        pytest.param([DNS], [pod(1)], [], id="named port not offered"),
        pytest.param([DNS], [offering_dns(1, "TCP")], [], id="named port of another protocol"),
        pytest.param(
            [DNS], [offering_dns(1)], [(["10.0.0.1"], [], [5353])], id="named port offered"
        ),
        pytest.param(
            [DNS],
            [pod(1, initContainers=[SIDECAR])],
            [(["10.0.0.1"], [], [5300])],
            id="named port of a sidecar",
        ),
        pytest.param(
            [DNS, HTTP],
            [offering_dns(1)],
            [(["10.0.0.1"], [], [5353, 8080])],
            id="ports with the same addresses are joined",
        ),
        pytest.param(
            [DNS, HTTP],
            [offering_dns(1), pod(2, ready=False)],
            [(["10.0.0.1"], [], [5353]), (["10.0.0.1"], ["10.0.0.2"], [8080])],
            id="ports with other addresses are not",
        ),
    ],
)
def test_subsets(ports: list[Object], pods: list[Object], expected: Any) -> None:
    assert shown(subsets_of(service("ns", ports=ports), pods)) == expected


def test_published_service_counts_every_pod_as_ready() -> None:
    pods = [pod(1, ready=False), pod(2, deleted=True), pod(3, phase="Failed")]

    found = subsets_of(service("ns", publishNotReadyAddresses=True), pods)

    assert shown(found) == [(["10.0.0.1", "10.0.0.2"], [], [8080])]


def test_headless_service_without_ports_has_addresses_only() -> None:
    [found] = subsets_of(service("ns", clusterIP="None", ports=[]), [pod(1)])

    assert "ports" not in found
    assert [one["ip"] for one in found["addresses"]] == ["10.0.0.1"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ipFamilies": ["IPv6", "IPv4"]}, "fd00::1"),
        ({"ipFamilies": ["IPv4"]}, "10.0.0.1"),
        ({"clusterIP": "fd00::10"}, "fd00::1"),
        ({"clusterIP": "10.96.0.9"}, "10.0.0.1"),
        ({}, "10.0.0.1"),
    ],
)
def test_addresses_are_of_the_primary_family(spec: Object, expected: str) -> None:
    [found] = subsets_of(service("ns", **spec), [pod(1, ips=("10.0.0.1", "fd00::1"))])

    assert [one["ip"] for one in found["addresses"]] == [expected]


def test_an_address_names_its_pod_and_its_place() -> None:
    [found] = subsets_of(service("ns"), [pod(1, hostname="h", subdomain="web")])

    assert found["addresses"] == [
        {
            "ip": "10.0.0.1",
            "nodeName": "n1",
            "hostname": "h",
            "targetRef": {"kind": "Pod", "namespace": "ns", "name": "p1", "uid": "p1"},
        }
    ]


def many(ready: int, waiting: int) -> Object:
    return {"addresses": [{}] * ready, "notReadyAddresses": [{}] * waiting}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([(999, 1)], [(999, 1)]),
        ([(900, 200)], [(900, 100)]),
        ([(1100, 5)], [(1000, 0)]),
        ([(1500, 0), (500, 0)], [(750, 0), (250, 0)]),
        ([(500, 900), (100, 100)], [(500, 360), (100, 40)]),
        ([(1000, 0), (0, 7)], [(1000, 0)]),
    ],
)
def test_capacity(given: list[tuple[int, int]], kept: list[tuple[int, int]]) -> None:
    found, cut = truncated([many(*counts) for counts in given])

    counts = [(len(s.get("addresses", [])), len(s.get("notReadyAddresses", []))) for s in found]
    assert counts == kept
    assert cut == (given != kept)


def test_endpoints_are_written_once_per_change() -> None:
    owner, pods = service("ns"), [pod(1)]

    made = plan(owner, pods, None, "2026-01-02T03:04:05Z")
    assert made is not None
    assert labels_of(made) == {
        "team": "a",
        "endpoints.kubernetes.io/managed-by": "endpoint-controller",
    }
    assert annotations_of(made)[ANNOTATION] == "2026-01-02T03:04:05Z"
    assert plan(owner, pods, made, "") is None

    changed = plan(owner, [pod(1, ready=False)], made, "")
    assert changed is not None
    assert ANNOTATION not in annotations_of(changed)
    headless = plan(service("ns", clusterIP="None"), pods, made, "")
    assert headless is not None
    assert labels_of(headless)["service.kubernetes.io/headless"] == ""


def test_truncated_endpoints_say_so_as_long_as_they_are() -> None:
    pods = [pod(number, ips=(f"10.0.{number // 250}.{number % 250}",)) for number in range(1001)]

    cut = plan(service("ns"), pods, None, "")
    assert cut is not None
    assert annotations_of(cut)[OVER_CAPACITY] == "truncated"
    whole = plan(service("ns"), pods[:1], cut, "")
    assert whole is not None
    assert OVER_CAPACITY not in annotations_of(whole)
