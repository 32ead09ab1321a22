"""Checks of an object's metadata against the request it came in. Pure.

Source of the texts: Kubernetes v1.35.
"""

from typing import Any

from control_plane.api.apply import objection, same_but_for_time
from control_plane.api.errors import BadRequest, Conflict, Forbidden, Invalid
from control_plane.api.field_error import invalid
from control_plane.api.objects import Object, name_of, namespace_of, resource_version_of, uid_of
from control_plane.api.resources import Resource
from control_plane.apiserver.storage.resource_version import parse_revision


def check_create_metadata(resource: Resource, namespace: str, obj: Object) -> None:
    """Put the URL's namespace into a new object; raise when it says another one."""
    metadata = obj["metadata"]
    if resource_version_of(obj):
        raise BadRequest("resourceVersion should not be set on objects to be created")
    metadata.pop("resourceVersion", None)
    _place(resource, obj, namespace)


def _place(resource: Resource, obj: Object, namespace: str) -> None:
    """Put the URL's namespace into an object; one that has none loses what it says of it."""
    metadata = obj["metadata"]
    if not resource.namespaced:
        metadata.pop("namespace", None)
        return
    if namespace_of(obj) not in ("", namespace):
        raise BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    metadata["namespace"] = namespace


def refuse_if_ending(resource: Resource, obj: Object) -> None:
    """Raise Forbidden for a new object of a kind that is being deleted."""
    if resource.custom is not None and resource.custom.definition.is_terminating:
        text = "create not allowed while custom resource definition is terminating"
        raise Forbidden.of(resource, name_of(obj), text)


def require_name(obj: Object, name: str) -> None:
    """Raise when the body of a PUT does not say which object it is; `name` is the URL's."""
    if not name_of(obj):
        raise BadRequest(
            f"the name of the object ({name} based on URL) was undeterminable: "
            "name must be provided"
        )


def check_update_metadata(resource: Resource, place: tuple[str, str], new: Object) -> None:
    """Compare an updated object with the (namespace, name) of the URL; fill in what it lacks."""
    namespace, name = place
    metadata = new.setdefault("metadata", {})
    if name_of(new) != name:
        if name_of(new):
            raise BadRequest(
                f"the name of the object ({name_of(new)}) does not match "
                f"the name on the URL ({name})"
            )
        metadata["name"] = name
    _place(resource, new, namespace)


def restore_owners(obj: Object, before: Any) -> str:
    """Put managedFields back that admission has made unreadable; the warning of it, "" for none."""
    metadata = obj.get("metadata") or {}
    after = metadata.get("managedFields")
    problem = "" if after is before else objection(after)
    if not problem:
        return ""
    metadata["managedFields"] = before
    return (
        ".metadata.managedFields was in an invalid state after admission; this could be caused by "
        f"an outdated mutating admission controller; please fix your requests: {problem}"
    )


def check_uid(resource: Resource, key: bytes, new: Object, old: Object) -> None:
    """Raise Conflict when an update names another object than `old`, which is {} for none."""
    wanted, stored = uid_of(new), uid_of(old)
    if wanted and wanted != stored:
        raise Conflict.of(
            resource,
            name_of(new),
            f"StorageError: invalid object, Code: 4, Key: {key.decode()}, ResourceVersion: 0, "
            f"AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted}, "
            f"UID in object meta: {stored}",
        )


def check_version(resource: Resource, new: Object, revision: int, *, may_omit: bool) -> None:
    """Raise Conflict when the update was made from an older state than `revision`.

    Without a resourceVersion the update is unconditional, where the resource allows that.
    """
    version = resource_version_of(new)
    name = name_of(new)
    if not version or version == "0":
        if may_omit:
            return
        error = invalid("metadata.resourceVersion", 0, "must be specified for an update")
        raise Invalid.of(_Plural(resource), name, [error])
    try:
        sent = parse_revision(version)
    except ValueError as error:
        raise BadRequest(str(error)) from error
    if sent != revision:
        raise Conflict.modified(resource, name)


def is_unchanged(new: Object, old: Object) -> bool:
    """Tell whether an update is none: times of managers alone do not count, and are put back."""
    if new == old:
        return True
    metadata, stored = new["metadata"], old["metadata"]
    if not same_but_for_time(metadata.get("managedFields"), stored.get("managedFields")):
        return False
    settled = {**new, "metadata": {**metadata, "managedFields": stored["managedFields"]}}
    if settled != old:
        return False
    metadata["managedFields"] = stored["managedFields"]
    return True


class _Plural:
    """A resource whose plural stands where an error names the kind, as upstream has it."""

    def __init__(self, resource: Resource) -> None:
        self.group = resource.group
        self.kind = resource.plural
