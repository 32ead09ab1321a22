"""Services and endpoints: each rule by one broken field, with upstream's path and text."""

from typing import Any

import pytest

from control_plane.api.resources import ENDPOINTS, ENDPOINTSLICES, SERVICES, Resource
from tests.control_plane.api.valid_objects import Obj, create_errors, named, update_errors

PORT = {"port": 80}


def service(**spec: Any) -> Obj:
    return named(SERVICES, spec={"ports": [PORT], **spec})


def slice_of(*addresses: str, kind: str = "IPv4", **fields: Any) -> Obj:
    endpoints = [{"addresses": list(addresses)}]
    return named(ENDPOINTSLICES, addressType=kind, endpoints=endpoints, **fields)


def endpoints(*addresses: str, **fields: Any) -> Obj:
    subset = {"addresses": [{"ip": address} for address in addresses], "ports": [PORT], **fields}
    return named(ENDPOINTS, subsets=[subset])


@pytest.mark.parametrize(
    "obj",
    [
        service(),
        service(clusterIP="None", ports=[]),
        service(type="NodePort", ports=[{"port": 80, "nodePort": 30080}]),
        service(type="ExternalName", externalName="example.com.", ports=[]),
        service(type="LoadBalancer", sessionAffinity="ClientIP"),
        service(ports=[{"port": 53, "protocol": p, "name": p.lower()} for p in ("TCP", "UDP")]),
        service(clusterIP="10.0.0.1", ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack"),
    ],
)
def test_sound_services_are_valid(obj: Obj) -> None:
    assert create_errors(SERVICES, obj) == []


RANGE = "must be between 1 and 65535, inclusive"
BROKEN: list[tuple[Resource, Obj, str]] = [
    (SERVICES, service(ports=[]), "spec.ports: Required value"),
    (SERVICES, service(ports=[PORT, {"port": 81}]), "spec.ports[0].name: Required value"),
    (
        SERVICES,
        service(ports=[{"port": 0}]),
        f"spec.ports[0].port: Invalid value: 0: {RANGE}",
    ),
    (
        SERVICES,
        service(ports=[{"port": 80, "targetPort": 70000}]),
        f"spec.ports[0].targetPort: Invalid value: 70000: {RANGE}",
    ),
    (
        SERVICES,
        service(ports=[{"port": 80, "nodePort": 30000}]),
        "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ),
    (
        SERVICES,
        service(ports=[{"port": 80, "name": name} for name in ("a", "b")]),
        'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,'
        '"TargetPort":0,"NodePort":0}',
    ),
    (
        SERVICES,
        service(type="Nope"),
        'spec.type: Unsupported value: "Nope": supported values: "ClusterIP", "ExternalName", '
        '"LoadBalancer", "NodePort"',
    ),
    (
        SERVICES,
        service(type="NodePort", clusterIP="None"),
        "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort "
        "services",
    ),
    (SERVICES, service(type="ExternalName"), "spec.externalName: Required value"),
    (
        SERVICES,
        service(clusterIP="x"),
        'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, '
        "(e.g. 10.9.8.7 or 2001:db8::ffff)",
    ),
    (
        SERVICES,
        service(clusterIP="10.0.0.1", clusterIPs=["10.0.0.2"]),
        'spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`',
    ),
    (
        SERVICES,
        service(clusterIP="10.0.0.1", ipFamilies=["IPv6"]),
        'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by '
        "`ipFamilies[0]`",
    ),
    (
        SERVICES,
        service(externalIPs=["127.0.0.1"]),
        'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range '
        "(127.0.0.0/8, ::1/128)",
    ),
    (
        SERVICES,
        service(
            sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 0}}
        ),
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater "
        "than 0 and less than 86400",
    ),
    (
        SERVICES,
        service(loadBalancerSourceRanges=["10.0.0.0/8"]),
        "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
    ),
    (
        SERVICES,
        service(externalTrafficPolicy="Local"),
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for '
        "externally-accessible services",
    ),
    (
        SERVICES,
        service(trafficDistribution="Far"),
        'spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", '
        '"PreferSameZone", "PreferSameNode"',
    ),
    (
        ENDPOINTS,
        endpoints(),
        "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
    ),
    (
        ENDPOINTS,
        endpoints("169.254.1.1"),
        'subsets[0].addresses[0].ip: Invalid value: "169.254.1.1": may not be in the link-local '
        "range (169.254.0.0/16, fe80::/10)",
    ),
    (
        ENDPOINTSLICES,
        slice_of(),
        "endpoints[0].addresses: Required value: must contain at least 1 address",
    ),
    (
        ENDPOINTSLICES,
        slice_of("fd00::1"),
        'endpoints[0].addresses: Invalid value: "fd00::1": must be an IPv4 address',
    ),
    (
        ENDPOINTSLICES,
        slice_of("FD00::1", kind="IPv6"),
        'endpoints[0].addresses[0]: Invalid value: "FD00::1": must be in canonical form '
        '("fd00::1")',
    ),
    (
        ENDPOINTSLICES,
        slice_of("10.0.0.1", kind="IPv5"),
        'addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"',
    ),
    (
        ENDPOINTSLICES,
        slice_of("10.0.0.1", ports=[{"port": 1}, {"port": 2}]),
        'ports[1].name: Duplicate value: ""',
    ),
    (
        ENDPOINTSLICES,
        slice_of(*["10.0.0.1"] * 101),
        "endpoints[0].addresses: Too many: 101: must have at most 100 items",
    ),
]


@pytest.mark.parametrize(("resource", "obj", "message"), BROKEN)
def test_a_broken_field_is_named(resource: Resource, obj: Obj, message: str) -> None:
    assert message in create_errors(resource, obj)


def test_the_cluster_ip_stays() -> None:
    old = service(clusterIP="10.0.0.1", clusterIPs=["10.0.0.1"])
    new = service(clusterIP="10.0.0.2", clusterIPs=["10.0.0.2"])
    assert update_errors(SERVICES, new, old) == [
        'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'
    ]


def test_the_load_balancer_class_stays() -> None:
    old = service(type="LoadBalancer", loadBalancerClass="a/b")
    new = service(type="LoadBalancer", loadBalancerClass="a/c")
    assert update_errors(SERVICES, new, old) == [
        'spec.loadBalancerClass: Invalid value: "a/c": may not change once set'
    ]


def test_the_address_type_stays() -> None:
    errors = update_errors(ENDPOINTSLICES, slice_of("a.b", kind="FQDN"), slice_of("10.0.0.1"))
    assert errors == ['addressType: Invalid value: "FQDN": field is immutable']


def test_an_unknown_type_needs_no_internal_policy() -> None:
    (error,) = create_errors(SERVICES, service(type="Nope"))
    assert error.startswith("spec.type: ")


def test_only_load_balancers_have_addresses_in_their_status() -> None:
    new = {**service(), "status": {"loadBalancer": {"ingress": [{"hostname": "h"}]}}}
    assert update_errors(SERVICES, new, service(), "status") == [
        "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "
        "'LoadBalancer'"
    ]


def test_ports_are_compared_when_the_type_is_known() -> None:
    ports = [{"port": 80, "name": "a", "nodePort": 30080}, {"port": 80, "name": "b"}]
    assert create_errors(SERVICES, service(type="Odd", ports=ports))[:2] == [
        'spec.type: Unsupported value: "Odd": supported values: "ClusterIP", "ExternalName", '
        '"LoadBalancer", "NodePort"',
        'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,'
        '"TargetPort":0,"NodePort":0}',
    ]
