"""Valid objects to break one field of, and what validation says of them, as texts."""

import copy
from datetime import UTC, datetime
from typing import Any

from control_plane.api.defaults import apply_defaults
from control_plane.api.field_error import FieldError
from control_plane.api.preparation import prepare_for_create
from control_plane.api.resources import Resource
from control_plane.api.tables import view_for
from control_plane.api.validation import validate_create, validate_update

Obj = dict[str, Any]


def named(resource: Resource, **fields: Any) -> Obj:
    """Return an object of a resource with metadata that is right for it."""
    metadata = {"name": "x", **({"namespace": "default"} if resource.namespaced else {})}
    return {"metadata": metadata, **copy.deepcopy(fields)}


def complete(resource: Resource, obj: Obj) -> Obj:
    """Return the object as it would be validated: defaulted and prepared."""
    done = copy.deepcopy(obj)
    apply_defaults(resource, done)
    prepare_for_create(resource, done, now="2026-01-01T00:00:00Z")
    return done


def shown(errors: list[FieldError]) -> list[str]:
    """Return errors as the texts a client sees."""
    return [str(error) for error in errors]


def create_errors(resource: Resource, obj: Obj) -> list[str]:
    """Return what is wrong with creating an object."""
    return shown(validate_create(resource, complete(resource, obj)))


def update_errors(resource: Resource, new: Obj, old: Obj, subresource: str = "") -> list[str]:
    """Return what is wrong with replacing a stored object."""
    stored = complete(resource, old)
    stored["metadata"]["resourceVersion"] = "1"
    changed = copy.deepcopy(new)
    apply_defaults(resource, changed)
    changed["metadata"]["resourceVersion"] = "1"
    for field in ("generation",):
        if field in stored["metadata"]:
            changed["metadata"][field] = stored["metadata"][field]
    return shown(validate_update(resource, changed, stored, subresource=subresource))


def broken(resource: Resource, *cases: tuple[Obj, str]) -> list[tuple[Resource, Obj, str]]:
    """Return rows for a test of one resource: an object, and one error it must give."""
    return [(resource, obj, message) for obj, message in cases]


def cells(resource: Resource, obj: Obj) -> list[tuple[str, Any]]:
    """Return (heading, cell) pairs of an object two days old; columns of -o wide end in "*"."""
    metadata = {"name": "x", "creationTimestamp": "2026-01-01T00:00:00Z", **obj.get("metadata", {})}
    view = view_for(resource)
    headings = [column.name + "*" * column.priority for column in view.columns]
    now = datetime(2026, 1, 3, tzinfo=UTC)
    return list(zip(headings, view.cells({**obj, "metadata": metadata}, now), strict=True))
