"""What a webhook or a policy has made of an object, read by the object's type and defaulted. Pure.

An object of another kind than the resource's own (a Scale, an Eviction) is read as what it is.
"""

from typing import Any

from control_plane.api.defaults import apply_defaults
from control_plane.api.errors import InternalError
from control_plane.api.field_validation import Directive, Expected, check_patched
from control_plane.api.go_syntax import to_json
from control_plane.api.objects import Object
from control_plane.api.resources import Resource


def retyped(result: Any, before: Object, resource: Resource, *, is_strict: bool = False) -> Object:
    """The result with only known fields, which if it `is_strict` it must have had.

    Raises InternalError, or what check_patched does.
    """
    if not isinstance(result, dict) or not isinstance(result.get("metadata", {}), dict):
        raise InternalError.of("json: cannot unmarshal the patched document into an object")
    is_own = (before["apiVersion"], before["kind"]) == (resource.api_version, resource.kind)
    own = Expected(before["apiVersion"], before["kind"])
    expected = Expected.of(resource) if is_own else own
    decoded = check_patched(result, expected, Directive.WARN, to_json(result))
    if is_strict and decoded.warnings:
        raise InternalError.of(f"strict decoding error: {', '.join(decoded.warnings)}")
    clean = decoded.obj
    if is_own:
        apply_defaults(resource, clean)
    if "metadata" in before:
        clean["metadata"] = clean.get("metadata") or {}
    return clean
