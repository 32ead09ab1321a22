"""A custom resource as a client sends it, or as it lies in the store, made one of its version.

Both get metadata of the right types and lose what the schema does not know; a client is told of
what it loses, what is stored loses it silently. Source: the schemaCoercingDecoder of apiextensions
v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.custom.defaulting import fill
from control_plane.api.custom.embedded import embedded_resources, read_metadata
from control_plane.api.custom.pruning import prune
from control_plane.api.custom.value_validation import below
from control_plane.api.json_syntax import RepeatedKeys
from control_plane.api.typed_json import MAX_FINDINGS, Typed
from control_plane.api.typed_scalars import TypeMismatch

if TYPE_CHECKING:
    from control_plane.api.custom.structural import Node
    from control_plane.api.objects import Object


def read_sent(value: Object, node: Node) -> Typed:
    """Return what a client has sent, pruned, with what strict decoding objects to.

    `value` stays as it is. Raises TypeMismatch when metadata have the wrong types.
    """
    repeated: list[str] = []
    obj = _plain(value, "", repeated)
    unknown: list[str] = []
    read_metadata(obj, unknown, "")
    for resource, path in list(embedded_resources(node, obj)):
        read_metadata(resource, unknown, path)
    of_metadata = len(unknown)
    prune(obj, node, unknown, root=True)
    ordered = dict.fromkeys([*unknown[:of_metadata], *sorted(unknown[of_metadata:])])
    findings = [f'duplicate field "{path}"' for path in dict.fromkeys(repeated)]
    findings += [f'unknown field "{path}"' for path in ordered]
    return Typed(obj, tuple(findings[:MAX_FINDINGS]))


def _plain(value: Any, path: str, repeated: list[str]) -> Any:
    if isinstance(value, dict):
        if isinstance(value, RepeatedKeys):
            seen = set[str]()
            for key, _ in value.pairs:
                if key in seen:
                    repeated.append(below(path, key))
                seen.add(key)
        return {key: _plain(member, below(path, key), repeated) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(item, f"{path}[{at}]", repeated) for at, item in enumerate(value)]
    return value


def read_stored(obj: Object, node: Node) -> bool:
    """Bring a stored object, in place, into what its schema says today; True when it changed."""
    changed = False
    for resource, _path in embedded_resources(node, obj):
        changed |= _drop_bad_metadata(resource)
    changed |= prune(obj, node, [], root=True)
    return fill(obj, node) or changed


def _drop_bad_metadata(resource: Object) -> bool:
    before = resource.get("metadata")
    try:
        read_metadata(resource, [], "")
    except TypeMismatch:
        resource["metadata"] = {}
    return resource.get("metadata") != before
