"""The Node table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.objects import Object, dig, find_condition, labels_of, name_of
from control_plane.api.tables.columns import AGE, NAME, WIDE, Column, View
from control_plane.api.tables.rendering import NONE, UNKNOWN, age

if TYPE_CHECKING:
    from datetime import datetime

_ROLE_PREFIX: Final = "node-role.kubernetes.io/"
_ROLE_LABEL: Final = "kubernetes.io/role"


def _cells(obj: Object, now: datetime) -> list[Any]:
    info = dig(obj, "status", "nodeInfo", default={})
    return [
        name_of(obj),
        _status(obj),
        _roles(obj),
        age(obj, now),
        info.get("kubeletVersion") or "",
        _address(obj, "InternalIP"),
        _address(obj, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _status(node: Object) -> str:
    ready = find_condition(node, "Ready")
    word = "Unknown"
    if ready is not None:
        word = "Ready" if ready.get("status") == "True" else "NotReady"
    is_cordoned = dig(node, "spec", "unschedulable", default=False)
    return f"{word},SchedulingDisabled" if is_cordoned else word


def _roles(node: Object) -> str:
    roles = set()
    for key, value in labels_of(node).items():
        role = value if key == _ROLE_LABEL else ""
        if key.startswith(_ROLE_PREFIX):
            role = key.removeprefix(_ROLE_PREFIX)
        if role:
            roles.add(role)
    return ",".join(sorted(roles)) or NONE


def _address(node: Object, address_type: str) -> str:
    addresses = dig(node, "status", "addresses", default=[])
    found = (a.get("address", "") for a in addresses if a.get("type") == address_type)
    return next(found, NONE)


NODES = View(
    (
        NAME,
        Column("Status", text="Whether the node is ready, and whether pods may be placed on it."),
        Column("Roles", text="The roles that the node's labels give it."),
        AGE,
        Column("Version", doc="core.v1.NodeSystemInfo.kubeletVersion"),
        Column("Internal-IP", priority=WIDE, doc="core.v1.NodeStatus.addresses"),
        Column("External-IP", priority=WIDE, doc="core.v1.NodeStatus.addresses"),
        Column("OS-Image", priority=WIDE, doc="core.v1.NodeSystemInfo.osImage"),
        Column("Kernel-Version", priority=WIDE, doc="core.v1.NodeSystemInfo.kernelVersion"),
        Column(
            "Container-Runtime", priority=WIDE, doc="core.v1.NodeSystemInfo.containerRuntimeVersion"
        ),
    ),
    _cells,
)
