"""Which slices are written for a service: their packing and their endpoints, as tables."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from control_plane.api.objects import Object, controller_of, deep_copy
from control_plane.controllers.endpointslice.endpoint import (
    endpoint_of,
    grouped_endpoints,
    port_key,
)
from control_plane.controllers.endpointslice.packing import SlicePlan, plan_family
from tests.control_plane.controllers.workloads import service

HTTP = [{"name": "http", "port": 8080, "protocol": "TCP"}]
HTTPS = [{"name": "https", "port": 8443, "protocol": "TCP"}]
LABELS = {"kubernetes.io/service-name": "web"}


def endpoint(number: int, *, ready: bool = True) -> Object:
    return {
        "addresses": [f"10.0.0.{number}"],
        "conditions": {"ready": ready},
        "targetRef": {"kind": "Pod", "uid": str(number)},
    }


def endpoints(numbers: Iterable[int]) -> list[Object]:
    return [endpoint(number) for number in numbers]


def made(ports: Sequence[Object], members: Sequence[Object], owner: str = "owner") -> Object:
    reference = {"kind": "Service", "name": "web", "uid": owner, "controller": True}
    meta = {"generateName": "web-", "labels": dict(LABELS), "ownerReferences": [reference]}
    return {"metadata": meta, "endpoints": list(members), "ports": list(ports)}


def present(
    name: str, numbers: Iterable[int], ports: Sequence[Object] = HTTP, owner: str = "owner"
) -> Object:
    found = made(ports, endpoints(numbers), owner)
    found["metadata"]["name"] = name
    return found


def planned(
    found: list[Object], numbers: Iterable[int], ports: list[Object] = HTTP, limit: int = 3
) -> SlicePlan:
    members = endpoints(numbers)
    groups = {port_key(ports): (ports, members)} if members else {}
    return plan_family(found, groups, made, limit)


def numbers_of(obj: Object) -> list[int]:
    return [int(one["targetRef"]["uid"]) for one in obj["endpoints"]]


def shown(plan: SlicePlan) -> tuple[list[list[int]], dict[str, list[int]], list[str]]:
    """Return what is created, updated (by name) and deleted."""
    updates = {one["metadata"]["name"]: numbers_of(one) for one in plan.update}
    deletions = sorted(one["metadata"]["name"] for one in plan.delete)
    return [numbers_of(one) for one in plan.create], updates, deletions


@pytest.mark.parametrize(
    ("found", "wanted", "create", "update", "delete"),
    [
        pytest.param({}, range(2), [[0, 1]], {}, [], id="first slice"),
        pytest.param({}, range(7), [[0, 1, 2], [3, 4, 5], [6]], {}, [], id="several slices"),
        pytest.param({}, [], [[]], {}, [], id="placeholder"),
        pytest.param({"a": [0, 1]}, [0, 1], [], {}, [], id="unchanged"),
        pytest.param({"a": [0, 1]}, [1], [], {"a": [1]}, [], id="one gone"),
        pytest.param({"a": [0, 1]}, [0, 1, 2], [], {"a": [0, 1, 2]}, [], id="fits unchanged one"),
        pytest.param(
            {"a": [0], "b": [1, 2]}, [0, 1, 2, 3], [], {"b": [1, 2, 3]}, [], id="fullest that fits"
        ),
        pytest.param(
            {"a": [0], "b": [1, 2]},
            [0, 1, 2, 3, 4],
            [],
            {"a": [0, 3, 4]},
            [],
            id="whole rest into one slice",
        ),
        pytest.param(
            {"a": [0, 1]}, range(4), [[2, 3]], {}, [], id="a rest is not split over unchanged ones"
        ),
        pytest.param(
            {"a": [0, 1, 9], "b": [2, 3, 4]},
            range(6),
            [],
            {"a": [0, 1, 5]},
            [],
            id="slices written anyway fill first",
        ),
        pytest.param(
            {"a": [0, 8, 9], "b": [1, 2, 9]},
            range(5),
            [],
            {"a": [0, 4], "b": [1, 2, 3]},
            [],
            id="fullest of those first",
        ),
        pytest.param({"a": [0, 1], "b": [2]}, [0, 1], [], {}, ["b"], id="emptied slice goes"),
        pytest.param({"a": [7], "b": [8]}, [0], [], {"b": [0]}, ["a"], id="deleted one is reused"),
        pytest.param({"a": [0], "b": [0]}, [0], [], {}, ["b"], id="duplicate goes"),
        pytest.param({"a": [0]}, [], [], {"a": []}, [], id="last one gone"),
        pytest.param(
            {"a": range(6)}, range(1, 8), [[6, 7]], {"a": [1, 2, 3, 4, 5]}, [], id="limit lowered"
        ),
    ],
)
def test_packing(
    found: dict[str, Iterable[int]],
    wanted: Iterable[int],
    create: list[list[int]],
    update: dict[str, list[int]],
    delete: list[str],
) -> None:
    slices = [present(name, numbers) for name, numbers in found.items()]
    before = deep_copy({"slices": slices})

    plan = planned(slices, wanted)

    assert shown(plan) == (create, update, delete)
    assert {"slices": slices} == before, "cached slices must not be changed"


def test_a_slice_holds_as_many_endpoints_as_the_limit_allows() -> None:
    plan = planned([], range(250), limit=100)

    assert [len(one["endpoints"]) for one in plan.create] == [100, 100, 50]


def test_placeholder_stays_and_is_filled() -> None:
    empty = present("a", [], ports=[])

    assert shown(planned([empty], [])) == ([], {}, [])
    filled = planned([empty], [1])
    assert shown(filled) == ([], {"a": [1]}, [])
    assert filled.update[0]["ports"] == HTTP


def test_changed_port_moves_the_endpoints_within_their_slice() -> None:
    plan = planned([present("a", [0, 1])], [0, 1], ports=HTTPS)

    assert shown(plan) == ([], {"a": [0, 1]}, [])
    assert plan.update[0]["ports"] == HTTPS


def test_each_set_of_ports_has_its_own_slices() -> None:
    groups = {port_key(HTTP): (HTTP, endpoints([0])), port_key(HTTPS): (HTTPS, endpoints([1]))}

    plan = plan_family([present("a", [0])], groups, made, 3)

    assert shown(plan) == ([[1]], {}, [])
    assert plan.create[0]["ports"] == HTTPS


def test_changed_condition_rewrites_the_slice() -> None:
    groups = {port_key(HTTP): (HTTP, [endpoint(0, ready=False)])}

    plan = plan_family([present("a", [0])], groups, made, 3)

    assert [one["endpoints"][0]["conditions"] for one in plan.update] == [{"ready": False}]


def test_changed_labels_rewrite_the_slice() -> None:
    stale = present("a", [0])
    stale["metadata"]["labels"] = {"old": "label"}

    plan = planned([stale], [0])

    assert [one["metadata"]["labels"] for one in plan.update] == [LABELS]


@pytest.mark.parametrize("wanted", [[0], []])
def test_slice_of_an_earlier_service_of_the_name_is_taken_over(wanted: list[int]) -> None:
    foreign = present("a", wanted, ports=HTTP if wanted else [], owner="earlier")

    plan = planned([foreign], wanted)

    assert shown(plan) == ([], {"a": wanted}, [])
    assert (controller_of(plan.update[0]) or {})["uid"] == "owner"


# --- endpoints ---


def pod(name: str = "p", *, ready: bool = True, node: str = "n1", **spec: Any) -> Object:
    return {
        "metadata": {"name": name, "namespace": "ns", "uid": name},
        "spec": {"nodeName": node, "containers": [{"name": "app"}], **spec},
        "status": {
            "phase": "Running",
            "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def terminating(obj: Object) -> Object:
    obj["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    return obj


def node(zone: str = "z1") -> Object:
    return {"metadata": {"name": "n1", "labels": {"topology.kubernetes.io/zone": zone}}}


@pytest.mark.parametrize(
    ("given", "publish", "ready", "serving", "ending"),
    [
        pytest.param(pod(), False, True, True, False, id="ready"),
        pytest.param(pod(ready=False), False, False, False, False, id="not ready"),
        pytest.param(pod(ready=False), True, True, False, False, id="published"),
        pytest.param(terminating(pod()), False, False, True, True, id="draining"),
        pytest.param(terminating(pod(ready=False)), False, False, False, True, id="ending"),
        pytest.param(terminating(pod()), True, True, True, True, id="published while ending"),
    ],
)
def test_conditions(given: Object, publish: bool, ready: bool, serving: bool, ending: bool) -> None:
    owner = service("ns", publishNotReadyAddresses=publish)

    assert endpoint_of(owner, given, node(), "10.0.0.1")["conditions"] == {
        "ready": ready,
        "serving": serving,
        "terminating": ending,
    }


ZONE_HINT = {"forZones": [{"name": "z1"}]}


@pytest.mark.parametrize(
    ("wish", "given", "zone", "hints"),
    [
        (None, pod(), "z1", None),
        ("PreferClose", pod(), "z1", ZONE_HINT),
        ("PreferSameZone", pod(), "z1", ZONE_HINT),
        ("PreferSameNode", pod(), "z1", ZONE_HINT | {"forNodes": [{"name": "n1"}]}),
        ("PreferClose", pod(), "", None),
        ("PreferSameNode", pod(), "", {"forNodes": [{"name": "n1"}]}),
        ("PreferClose", pod(ready=False), "z1", None),
    ],
)
def test_hints(wish: str | None, given: Object, zone: str, hints: Object | None) -> None:
    owner = service("ns", trafficDistribution=wish)

    assert endpoint_of(owner, given, node(zone), "10.0.0.1").get("hints") == hints


def test_an_endpoint_says_where_and_who_it_is() -> None:
    found = endpoint_of(service("ns"), pod(hostname="h", subdomain="web"), node(), "10.0.0.1")

    assert found["addresses"] == ["10.0.0.1"]
    assert (found["nodeName"], found["zone"], found["hostname"]) == ("n1", "z1", "h")
    assert found["targetRef"] == {"kind": "Pod", "namespace": "ns", "name": "p", "uid": "p"}
    other = endpoint_of(service("ns"), pod(hostname="h", subdomain="db"), None, "10.0.0.1")
    assert "hostname" not in other
    assert "zone" not in other


@pytest.mark.parametrize(("family", "address"), [("IPv4", "10.0.0.1"), ("IPv6", "fd00::1")])
def test_a_family_has_its_own_addresses(family: str, address: str) -> None:
    groups, _ = grouped_endpoints(service("ns"), [pod()], {"n1": node()}, family)

    [(_, [found])] = groups.values()
    assert found["addresses"] == [address]


def test_pod_on_an_unknown_node_is_named_unless_published() -> None:
    text = "skipping Pod p for Service ns/web: Node n1 Not Found"

    assert grouped_endpoints(service("ns"), [pod()], {}, "IPv4") == ({}, [text])
    published = service("ns", publishNotReadyAddresses=True)
    groups, skipped = grouped_endpoints(published, [pod()], {}, "IPv4")
    assert len(groups) == 1
    assert skipped == []


def test_ended_pods_and_pods_without_address_have_no_endpoint() -> None:
    ended, homeless = pod("ended"), pod("homeless")
    ended["status"]["phase"] = "Failed"
    homeless["status"]["podIPs"] = []

    assert grouped_endpoints(service("ns"), [ended, homeless], {"n1": node()}, "IPv4") == ({}, [])


def test_a_named_port_is_looked_up_pod_by_pod() -> None:
    def offering(name: str, number: int) -> Object:
        ports = [{"name": "http", "containerPort": number}]
        return pod(name, containers=[{"name": "app", "ports": ports}])

    owner = service("ns", ports=[{"name": "http", "port": 80, "targetPort": "http"}])
    pods = [offering("a", 8080), offering("b", 9090), offering("c", 8080), pod("d")]

    groups, _ = grouped_endpoints(owner, pods, {"n1": node()}, "IPv4")

    found = {
        tuple(port["port"] for port in ports): [one["targetRef"]["name"] for one in members]
        for ports, members in groups.values()
    }
    assert found == {(8080,): ["a", "c"], (9090,): ["b"], (): ["d"]}
