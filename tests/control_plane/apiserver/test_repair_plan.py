"""What the repair finds wrong between services, their addresses and their ports."""

import datetime
import ipaddress
from typing import Any

import pytest

from control_plane.apiserver.allocation.address_range import AddressRange
from control_plane.apiserver.allocation.cluster_ips import new_address
from control_plane.apiserver.allocation.port_set import PortSet
from control_plane.apiserver.repair import addresses, ports
from control_plane.apiserver.repair.finding import Finding, Remedy

Object = dict[str, Any]
NOW = datetime.datetime(2026, 1, 1, 12, 2, tzinfo=datetime.UTC)
LONG_AGO, JUST_NOW = "2026-01-01T12:00:00Z", "2026-01-01T12:01:30Z"
RANGE = AddressRange(ipaddress.ip_network("10.0.0.0/24"))
OWNER = ("ns", "a")


def _service(name: str, *ips: str, **spec: Any) -> Object:
    spec = {"type": "ClusterIP", "clusterIP": ips[0] if ips else "", "clusterIPs": [*ips], **spec}
    return {"metadata": {"namespace": "ns", "name": name, "uid": name}, "spec": spec}


def _address(name: str, owner: tuple[str, str] = OWNER, made: str = LONG_AGO) -> Object:
    return new_address(name, owner, made)


def _judge(services: list[Object], objects: list[Object]) -> list[Finding]:
    by_owner = {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in services}
    by_name = {one["metadata"]["name"]: one for one in objects}
    return list(addresses.judge(by_owner, by_name, [RANGE], NOW))


def _told(findings: list[Finding]) -> list[tuple[str, str, Remedy]]:
    return [(one.reason, one.message, one.remedy) for one in findings]


def test_what_belongs_together_is_left_alone() -> None:
    services = [
        _service("a", "10.0.0.5"),
        _service("b", "None"),
        _service("c", type="ExternalName"),
    ]
    assert _judge(services, [_address("10.0.0.5")]) == []


def test_a_missing_address_is_made() -> None:
    (found,) = _judge([_service("a", "10.0.0.5")], [])
    assert (found.address, found.owner) == ("10.0.0.5", OWNER)
    assert _told([found]) == [
        (
            "ClusterIPNotAllocated",
            "Cluster IP [IPv4]: 10.0.0.5 is not allocated; repairing",
            Remedy.CREATE,
        )
    ]


def test_an_address_outside_of_every_range_is_told_of() -> None:
    message = (
        "Cluster IP [IPv4]: 10.9.0.5 is not within any configured Service CIDR; "
        "please recreate service"
    )
    found = _judge([_service("a", "10.9.0.5")], [_address("10.9.0.5")])
    assert _told(found) == [("ClusterIPOutOfRange", message, Remedy.NOTHING)]


def test_an_address_of_a_service_that_is_gone_changes_hands() -> None:
    found = _judge([_service("a", "10.0.0.5")], [_address("10.0.0.5", ("ns", "gone"), JUST_NOW)])
    message = "the ClusterIP [IPv4]: 10.0.0.5 for Service ns/a has a wrong reference; repairing"
    assert _told(found) == [("ClusterIPNotAllocated", message, Remedy.REPLACE)]


def test_an_address_that_two_services_have_is_told_of() -> None:
    services = [_service("a", "10.0.0.5"), _service("b", "10.0.0.5")]
    (found,) = _judge(services, [_address("10.0.0.5")])
    assert found.about["metadata"]["name"] == "b"
    assert _told([found]) == [
        (
            "ClusterIPAlreadyAllocated",
            "Cluster IP [IPv4]:10.0.0.5 was assigned to multiple services; please recreate service",
            Remedy.NOTHING,
        )
    ]


def test_labels_are_put_back_without_a_word() -> None:
    unlabelled = _address("10.0.0.5")
    del unlabelled["metadata"]["labels"]
    found = _judge([_service("a", "10.0.0.5")], [unlabelled])
    assert _told(found) == [("", "", Remedy.REPLACE)]


def test_a_leaked_address_goes_after_a_minute() -> None:
    assert _judge([], [_address("10.0.0.5", made=JUST_NOW)]) == []
    message = "IPAddress: 10.0.0.5 for Service ns/a appears to have leaked: cleaning up"
    found = _judge([], [_address("10.0.0.5")])
    assert _told(found) == [("IPAddressNotAllocated", message, Remedy.REMOVE)]
    objects = {"10.0.0.5": _address("10.0.0.5", made=JUST_NOW)}
    assert addresses.grace_left({}, objects, NOW) == [30.0]


def test_an_address_that_its_service_does_not_have_goes() -> None:
    services = [_service("a", "10.0.0.5")]
    found = _judge(services, [_address("10.0.0.5"), _address("10.0.0.6", made=JUST_NOW)])
    message = "IPAddress: 10.0.0.6 for Service ns/a has a wrong reference; cleaning up"
    assert _told(found) == [("IPAddressWrongReference", message, Remedy.REMOVE)]


def test_an_address_of_something_else_goes_if_it_is_the_allocators() -> None:
    foreign = _address("10.0.0.5")
    foreign["spec"]["parentRef"] = {"group": "x.io", "resource": "gateways", "name": "g"}
    (found,) = _judge([], [foreign])
    assert found.message == (
        "IPAddress 10.0.0.5 appears to have been modified, not referencing a Service "
        "&ParentReference{Group:x.io,Resource:gateways,Namespace:,Name:g,}: cleaning up"
    )
    foreign["metadata"]["labels"] = {}
    assert _judge([], [foreign]) == []


def _with_ports(name: str, *numbers: int, **spec: Any) -> Object:
    entries = [{"port": number, "nodePort": number} for number in numbers]
    return _service(name, type="NodePort", ports=entries, **spec)


def test_ports_that_are_missing_are_taken() -> None:
    verdict = ports.judge([_with_ports("a", 30001, 30002)], PortSet(30000, 30031, [30001]), {})
    assert verdict.ports.taken() == {30001, 30002}
    (found,) = verdict.findings
    assert (found.reason, found.message) == (
        "PortNotAllocated",
        "Port 30002 is not allocated; repairing",
    )


def test_ports_that_cannot_be_right_are_told_of() -> None:
    services = [_with_ports("a", 30001), _with_ports("b", 30001, 80)]
    verdict = ports.judge(services, PortSet(30000, 30031, [30001]), {})
    assert [(one.reason, one.message) for one in verdict.findings] == [
        (
            "PortAlreadyAllocated",
            "Port 30001 was assigned to multiple services; please recreate service",
        ),
        (
            "PortOutOfRange",
            "Port 80 is not within the port range 30000-30031; please recreate service",
        ),
    ]


def test_a_leaked_port_is_free_in_the_third_round() -> None:
    stored, leaks = PortSet(30000, 30031, [30001]), dict[int, int]()
    kept = []
    for _ in range(3):
        verdict = ports.judge([], stored, leaks)
        stored, leaks = verdict.ports, verdict.leaks
        kept.append(stored.has(30001))
    assert kept == [True, True, False]
    assert leaks == {}


def test_a_port_that_is_used_again_is_no_leak() -> None:
    first = ports.judge([], PortSet(30000, 30031, [30001]), {})
    second = ports.judge([_with_ports("a", 30001)], first.ports, first.leaks)
    assert second.leaks == {}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([("TCP", 1), ("UDP", 1)], [1]),
        ([("TCP", 1), ("TCP", 1)], [1, 1]),
        ([("TCP", 1), ("TCP", 2)], [1, 2]),
        ([("TCP", 0)], []),
    ],
)
def test_ports_shared_by_protocols_count_once(
    entries: list[tuple[str, int]], expected: list[int]
) -> None:
    spec = {"ports": [{"protocol": protocol, "nodePort": port} for protocol, port in entries]}
    assert ports.ports_of({"spec": spec}) == expected
    assert ports.ports_of({"spec": {**spec, "healthCheckNodePort": 9}}) == [*expected, 9]
