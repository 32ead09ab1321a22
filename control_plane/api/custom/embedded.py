"""Whole resources within a custom resource: their identity and their metadata.

Source: apiextensions structural schema objectmeta, v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.custom.value_validation import below
from control_plane.api.field_error import FieldError, invalid, required
from control_plane.api.schema import META_V1
from control_plane.api.typed_json import read_typed
from control_plane.api.validation.metadata import validate_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.custom.structural import Node

OBJECT_META: Final = f"{META_V1}ObjectMeta"
_NO_NAME: Final = frozenset({"metadata.name", "metadata.namespace"})


def embedded_resources(
    node: Node, value: Any, path: str = ""
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield every embedded resource below a value that is an object, with its path."""
    if isinstance(value, dict):
        if path and node.is_embedded:
            yield value, path
        for key, member in value.items():
            known = node.child(key)
            if known is not None and isinstance(member, dict | list):
                yield from embedded_resources(known, member, below(path, key))
    elif isinstance(value, list) and node.items is not None:
        for index, item in enumerate(value):
            yield from embedded_resources(node.items, item, f"{path}[{index}]")


def read_metadata(resource: dict[str, Any], unknown: list[str], path: str) -> None:
    """Bring an object's metadata into its types, in place; raises TypeMismatch."""
    if not isinstance(resource.get("metadata"), dict):
        if resource.get("metadata") is None:
            resource.pop("metadata", None)
            return
        resource["metadata"] = {}
        return
    typed = read_typed(resource["metadata"], OBJECT_META)
    resource["metadata"] = typed.value
    for finding in typed.findings:
        what, _, field = finding.partition(' field "')
        if what == "unknown":
            unknown.append(below(path, f"metadata.{field[:-1]}"))


def embedded_violations(node: Node, value: Any, path: str = "") -> Iterator[FieldError]:
    """Yield what is wrong with the embedded resources of a custom resource.

    With a `path`, the value itself may be one.
    """
    for resource, where in embedded_resources(node, value, path):
        yield from metadata_violations(resource, where)


def metadata_violations(resource: dict[str, Any], path: str) -> Iterator[FieldError]:
    """Yield what is wrong with a resource's identity and metadata, but for its name."""
    yield from _identity(resource, path)
    metadata = resource.get("metadata")
    if isinstance(metadata, dict):
        for error in validate_metadata(metadata, lambda _name: [], namespaced=True):
            if error.field not in _NO_NAME:
                yield FieldError(error.type, below(path, error.field), error.detail, error.value)


def _identity(resource: dict[str, Any], path: str) -> Iterator[FieldError]:
    for field in ("apiVersion", "kind"):
        if not resource.get(field):
            yield required(below(path, field))
    version = resource.get("apiVersion")
    if isinstance(version, str) and version.count("/") > 1:
        where = below(path, "apiVersion")
        yield invalid(where, version, f"unexpected GroupVersion string: {version}")
