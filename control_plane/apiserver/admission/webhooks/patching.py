"""A webhook's patch, applied: the object after it, with only known fields, and defaulted. Pure."""

from control_plane.api.errors import ApiError, InternalError
from control_plane.api.objects import Object
from control_plane.api.patch import json_patch
from control_plane.api.resources import Resource
from control_plane.apiserver.admission.retyping import retyped


def patched(obj: Object, operations: list[Object], resource: Resource) -> Object:
    """The patched object; raises InternalError for a patch that does not fit it."""
    try:
        return retyped(json_patch.apply(obj, operations), obj, resource)
    except InternalError:
        raise
    except ApiError as error:
        raise InternalError.of(error.message) from error
