"""Objects as upstream's messages print them: in the structs it works on, not in those of the API.

Errors about a whole pod template or spec show it so: every member, absent ones with their zero,
under the names and in the order of the Go structs. Pure but for reading internal_types.json, which
has those of pod templates, claims, volumes and strategies: for each its members, as [name there,
name in the API, value when absent, its struct]; those of a member without a name stand in its
place. Source: the internal types of the core and apps groups, v1.35.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import orjson

from control_plane.api.go_syntax import Struct

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_Members = list[tuple[str, str, Any, str]]

# The internal structs keep what is shared with the host beside the rest of a pod's security.
_SHARED: Final = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_METADATA: Final = (
    "name", "generateName", "namespace", "uid", "resourceVersion", "generation",
    "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "labels",
    "annotations", "ownerReferences", "finalizers", "managedFields",
)  # fmt: skip


def internal_form(struct: str, value: Object | None) -> Struct:
    """Return an object of the API as the struct ("PodTemplateSpec") that upstream prints."""
    value = value or {}
    if struct == "PodSpec":
        value = _with_shared(value)
    form = Struct()
    for name, field, absent, below in _structs()[struct]:
        found = value.get(field)
        found = absent if found is None else found
        if name:
            form[name] = _form(below, found)
        else:
            form.update((key, found[key]) for key in _METADATA if found.get(key) is not None)
    return form


def _form(struct: str, value: Any) -> Any:
    if not struct or value is None:
        return value
    if isinstance(value, list):
        return [internal_form(struct, item) for item in value]
    return internal_form(struct, value)


def _with_shared(spec: Object) -> Object:
    shared = {field: spec[field] for field in _SHARED if field in spec}
    return {**spec, "securityContext": {**(spec.get("securityContext") or {}), **shared}}


@functools.cache
def _structs() -> dict[str, _Members]:
    file = resources.files(__package__) / "internal_types.json"
    structs: dict[str, _Members] = orjson.loads(file.read_bytes())
    return structs
