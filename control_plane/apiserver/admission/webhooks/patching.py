"""A webhook's patch, applied: the object after it, with only known fields, and defaulted. Pure."""

from control_plane.api.defaults import apply_defaults
from control_plane.api.errors import ApiError, InternalError
from control_plane.api.field_validation import Directive, Expected, check_patched
from control_plane.api.go_syntax import to_json
from control_plane.api.objects import Object
from control_plane.api.patch import json_patch
from control_plane.api.resources import Resource


def patched(obj: Object, operations: list[Object], resource: Resource) -> Object:
    """The patched object; raises InternalError for a patch that does not fit it.

    An object of another kind than the resource's own (a Scale, an Eviction) is read as what it is.
    """
    try:
        result = json_patch.apply(obj, operations)
        if not isinstance(result, dict) or not isinstance(result.get("metadata", {}), dict):
            raise InternalError.of("json: cannot unmarshal the patched document into an object")
        is_own = (obj["apiVersion"], obj["kind"]) == (resource.api_version, resource.kind)
        expected = Expected.of(resource) if is_own else Expected(obj["apiVersion"], obj["kind"])
        clean = check_patched(result, expected, Directive.IGNORE, to_json(result)).obj
    except InternalError:
        raise
    except ApiError as error:
        raise InternalError.of(error.message) from error
    if is_own:
        apply_defaults(resource, clean)
    if "metadata" in obj:
        clean["metadata"] = clean.get("metadata") or {}
    return clean
