"""Accessors on API objects, which are the plain JSON dicts they arrived as.

Everybody above `control_plane.api` calls these instead of digging through dicts: each tolerates a
missing or null member (a stored object may lack any optional part) and none of them changes the
object. Only `deep_copy` returns a new object; the other results are views into the object and must
not be modified by whoever holds it from a shared cache.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

Object: TypeAlias = dict[str, Any]


def dig(obj: Object, *path: str | int, default: Any = None) -> Any:
    """Return the value at `path` (keys, indexes); `default` where a step is missing or null."""
    current: Any = obj
    for step in path:
        if isinstance(current, dict):
            current = current.get(step)
        elif isinstance(step, int) and isinstance(current, list):
            current = current[step] if -len(current) <= step < len(current) else None
        else:
            return default
        if current is None:
            return default
    return current


def parts(obj: Object, *path: str) -> list[Object]:
    """Return every object that `path` leads to, entering each item of the lists on the way.

    "*" stands for every value of a map. What is absent, and what is no object, has none.
    """
    owners = [obj]
    for step in path:
        below: list[Object] = []
        for owner in owners:
            for found in owner.values() if step == "*" else (owner.get(step),):
                if isinstance(found, dict):
                    below.append(found)
                elif isinstance(found, list):
                    below += [item for item in found if isinstance(item, dict)]
        if not below:
            return below
        owners = below
    return owners


def metadata_of(obj: Object) -> Object:
    """Return the object's metadata, or a fresh empty dict when it has none."""
    return obj.get("metadata") or {}


def name_of(obj: Object) -> str:
    """Return metadata.name; "" while only generateName is given."""
    return metadata_of(obj).get("name") or ""


def namespace_of(obj: Object) -> str:
    """Return metadata.namespace; "" for cluster-scoped objects."""
    return metadata_of(obj).get("namespace") or ""


def uid_of(obj: Object) -> str:
    """Return metadata.uid; "" before the API server has set it."""
    return metadata_of(obj).get("uid") or ""


def resource_version_of(obj: Object) -> str:
    """Return metadata.resourceVersion, an opaque string; "" when absent."""
    return metadata_of(obj).get("resourceVersion") or ""


def labels_of(obj: Object) -> dict[str, str]:
    """Return metadata.labels, empty when absent."""
    return metadata_of(obj).get("labels") or {}


def annotations_of(obj: Object) -> dict[str, str]:
    """Return metadata.annotations, empty when absent."""
    return metadata_of(obj).get("annotations") or {}


def finalizers_of(obj: Object) -> list[str]:
    """Return metadata.finalizers, empty when absent."""
    return metadata_of(obj).get("finalizers") or []


def key_of(obj: Object) -> str:
    """Return "namespace/name", or "name" for a cluster-scoped object."""
    namespace = namespace_of(obj)
    return f"{namespace}/{name_of(obj)}" if namespace else name_of(obj)


def split_key(key: str) -> tuple[str, str]:
    """Undo `key_of`: (namespace or "", name)."""
    namespace, slash, name = key.partition("/")
    return (namespace, name) if slash else ("", key)


def owner_references(obj: Object) -> list[Object]:
    """Return metadata.ownerReferences, empty when absent."""
    return metadata_of(obj).get("ownerReferences") or []


def controller_of(obj: Object) -> Object | None:
    """Return the owner reference whose `controller` is true; an object has at most one."""
    return next((ref for ref in owner_references(obj) if ref.get("controller")), None)


def is_terminating(obj: Object) -> bool:
    """Tell whether deletion has been asked for and is waiting for finalizers or grace."""
    return bool(metadata_of(obj).get("deletionTimestamp"))


def find_condition(obj: Object, type: str) -> Object | None:  # noqa: A002 - the field's own name
    """Return the entry of status.conditions with that type."""
    conditions = dig(obj, "status", "conditions", default=[])
    return next((c for c in conditions if c.get("type") == type), None)


def deep_copy(obj: Object) -> Object:
    """Return an independent copy.

    JSON values only, which makes it several times faster than copy.deepcopy.
    """
    return cast("Object", _copy(obj))


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_copy(member) for member in value]
    return value
