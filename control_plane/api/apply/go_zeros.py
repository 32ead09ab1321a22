"""Fields that an object always has, because they are no pointers in Go: VALUE_FIELDS.

Upstream compares objects as its structs hold them. A struct within a struct is there even when
nobody set it, so setting one of its fields does not make the struct itself somebody's. Required
fields are always there too; this table has the optional ones. Called by shapes.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.schema import INT_OR_STRING, META_V1, QUANTITY, REFERENCE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CORE: Final = "io.k8s.api.core.v1."
_TIMES: Final = (f"{META_V1}Time", f"{META_V1}MicroTime")

# by definition: its optional fields that are structs by value
VALUE_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "io.k8s.api.apps.v1.DaemonSetSpec": ("updateStrategy",),
    "io.k8s.api.apps.v1.DeploymentSpec": ("strategy",),
    "io.k8s.api.apps.v1.ReplicaSetSpec": ("template",),
    "io.k8s.api.apps.v1.StatefulSetSpec": ("updateStrategy",),
    "io.k8s.api.batch.v1.JobTemplateSpec": ("spec",),
    f"{_CORE}Container": ("resources",),
    f"{_CORE}ContainerStatus": ("lastState", "state"),
    f"{_CORE}EphemeralContainer": ("resources",),
    f"{_CORE}Event": ("source",),
    f"{_CORE}NodeDaemonEndpoints": ("kubeletEndpoint",),
    f"{_CORE}NodeStatus": ("daemonEndpoints", "nodeInfo"),
    f"{_CORE}PersistentVolumeClaimSpec": ("resources",),
    f"{_CORE}PodTemplate": ("template",),
    f"{_CORE}PodTemplateSpec": ("spec",),
    f"{_CORE}ServiceStatus": ("loadBalancer",),
    "io.k8s.api.discovery.v1.Endpoint": ("conditions",),
    "io.k8s.api.events.v1.Event": ("deprecatedSource",),
    "io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration": ("limitResponse",),
    "io.k8s.api.networking.v1.IngressStatus": ("loadBalancer",),
    "io.k8s.api.resource.v1.AllocationResult": ("devices",),
    "io.k8s.api.resource.v1.ResourceClaimSpec": ("devices",),
}
_EVENT_TIMES: Final = ("eventTime", "firstTimestamp", "lastTimestamp")
_SCALAR_ZEROS: Final = {"string": "", "integer": 0, "number": 0, "boolean": False}


def zeros_of(name: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that an object of this definition always has, with their zero values."""
    properties = definition.get("properties") or {}
    required = definition.get("required") or ()
    zeros = {field: _zero(properties[field]) for field in required if field in properties}
    zeros.update(dict.fromkeys(_optional_structs(name, definition), None))
    zeros.update(dict.fromkeys(_times(name, properties), None))
    return {field: {} if _is_struct(properties[field], zero) else zero
            for field, zero in zeros.items()}  # fmt: skip


def _is_struct(node: Mapping[str, Any], zero: Any) -> bool:
    return zero is None and "$ref" in node and _reference(node) not in _TIMES


def _optional_structs(name: str, definition: Mapping[str, Any]) -> Iterator[str]:
    """Yield the optional structs by value: of every kind its metadata, spec and status."""
    properties = definition.get("properties") or {}
    if _reference(properties.get("metadata") or {}) == f"{META_V1}ObjectMeta":
        yield "metadata"
        if "x-kubernetes-group-version-kind" in definition:
            halves = ("spec", "status")
            yield from (field for field in halves if "$ref" in (properties.get(field) or {}))
    yield from VALUE_FIELDS.get(name, ())


def _times(name: str, properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield the times by value: those of conditions and events, which print as null when unset."""
    last = name.rpartition(".")[2]
    for field, node in properties.items():
        is_dated = last.endswith("Condition") and field.startswith("last")
        is_event = last == "Event" and field in _EVENT_TIMES
        if (is_dated or is_event) and _reference(node) in _TIMES:
            yield field


def _reference(node: Mapping[str, Any]) -> str:
    return str(node.get("$ref", "")).removeprefix(REFERENCE_PREFIX)


def _zero(node: Mapping[str, Any]) -> Any:
    """Return the zero of a required field; None for lists, maps, times and structs."""
    reference = _reference(node)
    if reference == QUANTITY:
        return "0"
    if reference == INT_OR_STRING:
        return 0
    return _SCALAR_ZEROS.get(str(node.get("type")))
