"""Ingresses, network policies, ingress classes, IP addresses and service CIDRs."""

import copy
from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.preparation import prepare_for_update
from control_plane.api.resources import (
    INGRESSCLASSES,
    INGRESSES,
    IPADDRESSES,
    NETWORKPOLICIES,
    SERVICECIDRS,
    Resource,
)
from tests.control_plane.api.valid_objects import (
    Obj,
    broken,
    cells,
    complete,
    create_errors,
    named,
    update_errors,
)

BACKEND: Obj = {"service": {"name": "web", "port": {"number": 80}}}


def ingress(**spec: Any) -> Obj:
    return named(INGRESSES, spec=spec)


def routed(
    path: str = "/", kind: str | None = "Prefix", backend: Any = BACKEND, **rule: Any
) -> Obj:
    each = {"path": path, "pathType": kind, "backend": backend}
    return ingress(rules=[{"http": {"paths": [each]}, **rule}])


def policy(**spec: Any) -> Obj:
    return named(NETWORKPOLICIES, spec={"podSelector": {}, **spec})


def fed(port: Obj | None = None, peer: Obj | None = None) -> Obj:
    rule = {"ports": [port] if port else [], "from": [] if peer is None else [peer]}
    return policy(ingress=[rule])


def ingress_class(**spec: Any) -> Obj:
    return named(INGRESSCLASSES, spec={"controller": "a.example/c", **spec})


def address(name: str = "10.0.0.1", **parent: str) -> Obj:
    reference = {"resource": "services", "name": "web", "namespace": "default", **parent}
    return {"metadata": {"name": name}, "spec": {"parentRef": reference}}


def ranges(*cidrs: str) -> Obj:
    return named(SERVICECIDRS, spec={"cidrs": list(cidrs)})


def test_defaults() -> None:
    obj = policy(ingress=[{"ports": [{"port": 80}]}], egress=[{}])
    apply_defaults(NETWORKPOLICIES, obj)
    assert obj["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert obj["spec"]["ingress"][0]["ports"] == [{"port": 80, "protocol": "TCP"}]
    scoped = ingress_class(parameters={"kind": "K", "name": "n"})
    apply_defaults(INGRESSCLASSES, scoped)
    assert scoped["spec"]["parameters"]["scope"] == "Cluster"


def test_the_status_of_a_service_cidr_is_all_its_endpoint_writes() -> None:
    old = complete(SERVICECIDRS, ranges("10.0.0.0/24"))
    new = copy.deepcopy(old)
    new["metadata"]["labels"] = {"a": "b"}
    new["spec"], new["status"] = {}, {"conditions": []}
    prepare_for_update(SERVICECIDRS, new, old, now="", subresource="status")
    assert ("labels" in new["metadata"], new["spec"]) == (False, old["spec"])
    assert new["status"] == {"conditions": []}


@pytest.mark.parametrize(
    ("resource", "obj"),
    [
        (INGRESSES, ingress(defaultBackend=BACKEND)),
        (INGRESSES, routed(host="*.example.com")),
        (NETWORKPOLICIES, fed({"port": "http"}, {"podSelector": {}})),
        (
            NETWORKPOLICIES,
            fed(peer={"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}),
        ),
        (INGRESSCLASSES, ingress_class()),
        (IPADDRESSES, address()),
        (IPADDRESSES, address("fd00::1")),
        (SERVICECIDRS, ranges("10.0.0.0/24", "fd00::/64")),
    ],
    ids=str,
)
def test_a_plain_object_is_valid(resource: Resource, obj: Obj) -> None:
    assert create_errors(resource, obj) == []
    assert update_errors(resource, obj, obj) == []


PATH = "spec.rules[0].http.paths[0]"
PORT = "spec.ingress[0].ports[0]"
PEER = "spec.ingress[0].from[0]"
BROKEN = [
    *broken(
        INGRESSES,
        (
            ingress(),
            'spec: Invalid value: {"IngressClassName":null,"DefaultBackend":null,"TLS":null,'
            '"Rules":null}: either `defaultBackend` or `rules` must be specified',
        ),
        (
            routed(host="10.0.0.1"),
            'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
        ),
        (ingress(rules=[{"http": {}}]), "spec.rules[0].http.paths: Required value"),
        (routed(kind=None), f"{PATH}.pathType: Required value: pathType must be specified"),
        (
            routed(kind="Regex"),
            f'{PATH}.pathType: Unsupported value: "Regex": supported values: "Exact", '
            '"ImplementationSpecific", "Prefix"',
        ),
        (routed("x"), f'{PATH}.path: Invalid value: "x": must be an absolute path'),
        (routed("/a//b"), f"{PATH}.path: Invalid value: \"/a//b\": must not contain '//'"),
        (routed("/a/.."), f"{PATH}.path: Invalid value: \"/a/..\": cannot end with '/..'"),
        (
            routed(backend={}),
            f'{PATH}.backend: Invalid value: "": resource or service backend is required',
        ),
        (
            routed(backend={**BACKEND, "resource": {"kind": "K", "name": "n"}}),
            f'{PATH}.backend: Invalid value: "": cannot set both resource and service backends',
        ),
        (
            routed(backend={"service": {"port": {"number": 80}}}),
            f"{PATH}.backend.service.name: Required value",
        ),
        (
            routed(backend={"service": {"name": "web"}}),
            f"{PATH}.backend: Required value: port name or number is required",
        ),
        (
            routed(backend={"service": {"name": "web", "port": {"name": "p", "number": 1}}}),
            f'{PATH}.backend: Invalid value: "": cannot set both port name & port number',
        ),
        (
            {
                **ingress(defaultBackend=BACKEND, ingressClassName="a"),
                "metadata": {
                    "name": "x",
                    "namespace": "default",
                    "annotations": {"kubernetes.io/ingress.class": "b"},
                },
            },
            'annotations.kubernetes.io/ingress.class: Invalid value: "b": must match '
            "`ingressClassName` when both are specified",
        ),
    ),
    *broken(
        NETWORKPOLICIES,
        (
            fed({"protocol": "ICMP"}),
            f'{PORT}.protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
        ),
        (
            fed({"port": 80, "endPort": 79}),
            f"{PORT}.endPort: Invalid value: 79: must be greater than or equal to `port`",
        ),
        (
            fed({"port": "http", "endPort": 80}),
            f"{PORT}.endPort: Invalid value: 80: may not be specified when `port` is non-numeric",
        ),
        (
            fed({"endPort": 80}),
            f"{PORT}.endPort: Invalid value: 80: may not be specified when `port` is not specified",
        ),
        (fed(peer={}), f"{PEER}: Required value: must specify a peer"),
        (
            fed(peer={"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}),
            f"{PEER}: Forbidden: may not specify both ipBlock and another peer",
        ),
        (
            fed(peer={"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}),
            f'{PEER}.ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of '
            "`cidr`",
        ),
        (
            policy(policyTypes=["Both"]),
            'spec.policyTypes[0]: Unsupported value: "Both": supported values: "Egress", "Ingress"',
        ),
    ),
    *broken(
        INGRESSCLASSES,
        (ingress_class(controller=""), "spec.controller: Required value"),
        (
            ingress_class(controller="me"),
            'spec.controller: Invalid value: "me": must be a domain-prefixed path (such as '
            '"acme.io/foo")',
        ),
        (
            ingress_class(parameters={"kind": "K", "name": "n", "scope": "Namespace"}),
            "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
        ),
        (
            ingress_class(parameters={"kind": "K", "name": "n", "namespace": "a"}),
            "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
        ),
    ),
    *broken(
        IPADDRESSES,
        (
            address("fd00:0::1"),
            'metadata.name: Invalid value: "fd00:0::1": must be in canonical form ("fd00::1")',
        ),
        (address(resource=""), "spec.parentRef.resource: Required value"),
    ),
    *broken(
        SERVICECIDRS,
        (ranges(), "spec.cidrs: Required value: at least one CIDR required"),
        (
            ranges("10.0.0.1/24"),
            'spec.cidrs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix '
            "length",
        ),
        (
            ranges("10.0.0.0/24", "10.1.0.0/24"),
            'spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than '
            "one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64",
        ),
    ),
]


@pytest.mark.parametrize(("resource", "obj", "message"), BROKEN)
def test_a_broken_field_is_named(resource: Resource, obj: Obj, message: str) -> None:
    assert message in create_errors(resource, obj)


UPDATES: list[tuple[Resource, Obj, Obj, list[str]]] = [
    (
        INGRESSCLASSES,
        ingress_class(controller="b.example/c"),
        ingress_class(),
        ['spec.controller: Invalid value: "b.example/c": field is immutable'],
    ),
    (SERVICECIDRS, ranges("10.0.0.0/24", "fd00::/64"), ranges("10.0.0.0/24"), []),
    (
        SERVICECIDRS,
        ranges("10.1.0.0/24"),
        ranges("10.0.0.0/24"),
        ['spec.cidrs: Invalid value: ["10.1.0.0/24"]: field is immutable'],
    ),
    (
        IPADDRESSES,
        address(group="g"),
        address(),
        [
            'spec.parentRef: Invalid value: {"group":"g","name":"web","namespace":"default",'
            '"resource":"services"}: field is immutable'
        ],
    ),
]


@pytest.mark.parametrize(("resource", "new", "old", "expected"), UPDATES)
def test_updates(resource: Resource, new: Obj, old: Obj, expected: list[str]) -> None:
    assert update_errors(resource, new, old) == expected


def test_tables() -> None:
    rules = [{"host": host} for host in ("a", "b", "", "d")]
    status = {"loadBalancer": {"ingress": [{"ip": "2.2.2.2"}, {"ip": "1.1.1.1"}]}}
    assert cells(INGRESSES, {**ingress(rules=rules, tls=[{}]), "status": status}) == [
        ("Name", "x"), ("Class", "<none>"), ("Hosts", "a,b + 1 more..."),
        ("Address", "1.1.1.1,2.2.2.2"), ("Ports", "80, 443"), ("Age", "2d"),
    ]  # fmt: skip
    parameters = {"kind": "K", "apiGroup": "g", "name": "n"}
    assert cells(INGRESSCLASSES, ingress_class(parameters=parameters)) == [
        ("Name", "x"), ("Controller", "a.example/c"), ("Parameters", "K.g/n"), ("Age", "2d"),
    ]  # fmt: skip
    assert cells(NETWORKPOLICIES, policy())[1] == ("Pod-Selector", "<none>")
    assert cells(SERVICECIDRS, ranges("10.0.0.0/24"))[1] == ("CIDRs", "10.0.0.0/24")
    assert cells(IPADDRESSES, address())[1] == ("ParentRef", "services/default/web")
