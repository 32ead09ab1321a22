"""The tables of networking.k8s.io."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.objects import Object, dig, name_of
from control_plane.api.tables.columns import AGE, NAME, Column, View
from control_plane.api.tables.rendering import NONE, age, selector

if TYPE_CHECKING:
    from datetime import datetime

_SHOWN_RULES: Final = 3


def _ingress_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        name_of(obj),
        spec.get("ingressClassName") or NONE,
        _hosts(spec.get("rules") or []),
        _addresses(obj),
        "80, 443" if spec.get("tls") else "80",
        age(obj, now),
    ]


def _hosts(rules: list[Object]) -> str:
    named = [rule["host"] for rule in rules[:_SHOWN_RULES] if rule.get("host")]
    if not named:
        return "*"
    rest = len(rules) - _SHOWN_RULES
    return ",".join(named) + (f" + {rest} more..." if rest > 0 else "")


def _addresses(obj: Object) -> str:
    entries = dig(obj, "status", "loadBalancer", "ingress", default=[])
    return ",".join(sorted({entry.get("ip") or entry.get("hostname") or "" for entry in entries}))


def _class_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    parameters = spec.get("parameters")
    return [
        name_of(obj),
        spec.get("controller") or "",
        _parameters(parameters) if parameters else NONE,
        age(obj, now),
    ]


def _parameters(parameters: Object) -> str:
    group = parameters.get("apiGroup")
    kind = parameters.get("kind") or ""
    return (
        f"{kind}.{group}/{parameters.get('name')}" if group else f"{kind}/{parameters.get('name')}"
    )


def _policy_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), selector(dig(obj, "spec", "podSelector")), age(obj, now)]


def _range_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), ",".join(dig(obj, "spec", "cidrs", default=[])), age(obj, now)]


def _address_cells(obj: Object, now: datetime) -> list[Any]:
    parent = dig(obj, "spec", "parentRef")
    return [name_of(obj), _owner(parent) if parent else NONE, age(obj, now)]


def _owner(parent: Object) -> str:
    group, resource = parent.get("group") or "", parent.get("resource") or ""
    what = (f"{resource}.{group}" if group else resource).lower()
    return f"{what}/{parent.get('namespace') or ''}/{parent.get('name') or ''}"


INGRESSES = View(
    (
        NAME,
        Column("Class", doc="networking.v1.IngressSpec.ingressClassName"),
        Column("Hosts", text="The hosts that the rules are for."),
        Column("Address", doc="networking.v1.IngressStatus.loadBalancer"),
        Column("Ports", text="The ports it listens on."),
        AGE,
    ),
    _ingress_cells,
)
INGRESSCLASSES = View(
    (
        NAME,
        Column("Controller", doc="networking.v1.IngressClassSpec.controller"),
        Column("Parameters", doc="networking.v1.IngressClassSpec.parameters"),
        AGE,
    ),
    _class_cells,
)
NETWORKPOLICIES = View(
    (NAME, Column("Pod-Selector", doc="networking.v1.NetworkPolicySpec.podSelector"), AGE),
    _policy_cells,
)
SERVICECIDRS = View(
    (NAME, Column("CIDRs", doc="networking.v1.ServiceCIDRSpec.cidrs"), AGE), _range_cells
)
IPADDRESSES = View(
    (NAME, Column("ParentRef", doc="networking.v1.IPAddressSpec.parentRef"), AGE), _address_cells
)
