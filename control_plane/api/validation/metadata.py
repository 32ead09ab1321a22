"""Object metadata: the rules every kind shares.

Called by the entry points of this package before (update) or after (create) a kind's own rules.
Source: v1.35 apimachinery ValidateObjectMeta and ValidateObjectMetaUpdate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.names import mask_trailing_dash
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    NEGATIVE,
    forbidden,
    invalid,
    invalid_each,
    required,
    too_long,
)
from control_plane.api.validation.labels import validate_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

    NameRule = Callable[[str], list[str]]

MAX_ANNOTATION_BYTES: Final = 256 * 1024
MAX_MANAGER_BYTES: Final = 128
MAX_SUBRESOURCE_BYTES: Final = 256
STANDARD_FINALIZERS: Final = ("kubernetes", "orphan", "foregroundDeletion")
_NOT_A_FINALIZER: Final = "name is neither a standard finalizer name nor is it fully qualified"
_FIXED: Final = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)


def validate_metadata(
    metadata: Object, name_rule: NameRule, path: str = "metadata", *, namespaced: bool
) -> Iterator[FieldError]:
    """Check the metadata of a new object, whose name must satisfy `name_rule`."""
    prefix = metadata.get("generateName") or ""
    if prefix:
        yield from invalid_each(
            f"{path}.generateName", prefix, name_rule(mask_trailing_dash(prefix))
        )
    name = metadata.get("name") or ""
    if not name:
        yield required(f"{path}.name", "name or generateName is required")
    else:
        messages = list(dict.fromkeys([*name_rule(name), *formats.path_segment(name)]))
        yield from invalid_each(f"{path}.name", name, messages)
    yield from _validate_namespace(metadata.get("namespace") or "", path, namespaced=namespaced)
    yield from _validate_rest(metadata, path)


def _validate_namespace(namespace: str, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    if not namespaced:
        if namespace:
            yield forbidden(f"{path}.namespace", "not allowed on this type")
    elif not namespace:
        yield required(f"{path}.namespace")
    else:
        yield from invalid_each(f"{path}.namespace", namespace, formats.dns1123_label(namespace))


def _validate_rest(metadata: Object, path: str) -> Iterator[FieldError]:
    generation = metadata.get("generation") or 0
    if generation < 0:
        yield invalid(f"{path}.generation", generation, NEGATIVE)
    yield from validate_labels(metadata.get("labels"), f"{path}.labels")
    yield from validate_annotations(metadata.get("annotations"), f"{path}.annotations")
    yield from _validate_owners(metadata.get("ownerReferences") or [], f"{path}.ownerReferences")
    yield from _validate_finalizers(metadata.get("finalizers") or [], f"{path}.finalizers")
    for index, entry in enumerate(metadata.get("managedFields") or []):
        yield from _validate_managed_fields(entry, f"{path}.managedFields[{index}]")


def validate_annotations(annotations: dict[str, Any] | None, path: str) -> Iterator[FieldError]:
    """Check the keys, read in lower case, and the size of all keys and values together."""
    size = 0
    for key, value in (annotations or {}).items():
        yield from invalid_each(path, key, formats.qualified_name(key.lower()))
        size += len(key.encode()) + len(value.encode())
    if size > MAX_ANNOTATION_BYTES:
        yield too_long(path, MAX_ANNOTATION_BYTES)


def _validate_owners(owners: list[Object], path: str) -> Iterator[FieldError]:
    controllers = []
    for owner in owners:
        yield from _validate_owner(owner, path)
        if owner.get("controller"):
            controllers.append(f"{owner.get('kind', '')}/{owner.get('name', '')}")
            if len(controllers) > 1:
                yield invalid(
                    path,
                    owners,
                    'Only one reference can have Controller set to true. Found "true" in '
                    "references for "
                    f"{controllers[0]} and {controllers[-1]}",
                )


def _validate_owner(owner: Object, path: str) -> Iterator[FieldError]:
    version = owner.get("apiVersion") or ""
    if not version.rpartition("/")[2]:
        yield invalid(f"{path}.apiVersion", version, "version must not be empty")
    for field in ("kind", "name", "uid"):
        if not owner.get(field):
            yield invalid(f"{path}.{field}", owner.get(field) or "", "must not be empty")
    if (version, owner.get("kind")) == ("v1", "Event"):
        yield invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner")


def _validate_finalizers(finalizers: list[str], path: str) -> Iterator[FieldError]:
    for finalizer in finalizers:
        yield from invalid_each(path, finalizer, formats.qualified_name(finalizer))
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        yield invalid(
            path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"
        )


def validate_finalizers_of_built_in(
    finalizers: list[str], path: str = "metadata.finalizers"
) -> Iterator[FieldError]:
    """Check that each has a domain and a path unless it is a standard one; others may do without.

    What is no qualified name is reported elsewhere.
    """
    for index, finalizer in enumerate(finalizers):
        yield from validate_domain(finalizer, f"{path}[{index}]")


def validate_domain(finalizer: str, path: str) -> Iterator[FieldError]:
    """Check that a finalizer has a domain and a path, or is a standard one."""
    if "/" in finalizer or finalizer in STANDARD_FINALIZERS:
        return
    if not formats.qualified_name(finalizer):
        yield invalid(path, finalizer, _NOT_A_FINALIZER)


def _validate_managed_fields(entry: Object, path: str) -> Iterator[FieldError]:
    if entry.get("operation") not in ("Apply", "Update"):
        yield invalid(
            f"{path}.operation", entry.get("operation") or "", "must be `Apply` or `Update`"
        )
    if entry.get("fieldsType") not in (None, "", "FieldsV1"):
        yield invalid(f"{path}.fieldsType", entry.get("fieldsType"), "must be `FieldsV1`")
    yield from validate_field_manager(entry.get("manager") or "", f"{path}.manager")
    if len((entry.get("subresource") or "").encode()) > MAX_SUBRESOURCE_BYTES:
        yield too_long(f"{path}.subresource", MAX_SUBRESOURCE_BYTES)


def validate_field_manager(manager: str, path: str = "fieldManager") -> Iterator[FieldError]:
    """Check the name of a field manager: at most 128 printable bytes."""
    if len(manager.encode()) > MAX_MANAGER_BYTES:
        yield too_long(path, MAX_MANAGER_BYTES)
    for position, character in enumerate(manager):
        if not character.isprintable():
            shown = f"invalid character U+{ord(character):04X} (at position {position})"
            yield invalid(path, manager, shown)


def validate_metadata_update(
    new: Object, old: Object, path: str = "metadata"
) -> Iterator[FieldError]:
    """Check the metadata of an update against the stored one."""
    for field in _FIXED:
        if not semantically_equal(new.get(field), old.get(field)):
            yield invalid(f"{path}.{field}", new.get(field), IMMUTABLE)
    if (new.get("generation") or 0) < (old.get("generation") or 0):
        yield invalid(f"{path}.generation", new.get("generation") or 0, "must not be decremented")
    if not new.get("resourceVersion"):
        yield invalid(f"{path}.resourceVersion", "", "must be specified for an update")
    if old.get("deletionTimestamp"):
        yield from _no_new_finalizers(new, old, path)
    yield from _validate_rest(new, path)


def _no_new_finalizers(new: Object, old: Object, path: str) -> Iterator[FieldError]:
    known = old.get("finalizers") or []
    added = [finalizer for finalizer in new.get("finalizers") or [] if finalizer not in known]
    if added:
        shown = ", ".join(f'"{finalizer}"' for finalizer in sorted(added))
        yield forbidden(
            f"{path}.finalizers",
            "no new finalizers can be added if the object is being deleted, found new finalizers "
            f"[]string{{{shown}}}",
        )
