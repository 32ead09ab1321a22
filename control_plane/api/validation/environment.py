"""Rules of environment variables and where their values come from.

Called by containers.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import invalid, invalid_each, not_found, required
from control_plane.api.validation.field_references import (
    ENVIRONMENT_FIELDS,
    validate_field_reference,
    validate_resource_reference,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object
    from control_plane.api.validation.pod_context import PodContext

_TOO_MANY: Final = "may not have more than one field specified at a time"
_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def validate_environment(container: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    """Check env and envFrom of a container."""
    for index, variable in enumerate(container.get("env") or []):
        where = f"{path}.env[{index}]"
        name = variable.get("name") or ""
        if name:
            yield from invalid_each(f"{where}.name", name, formats.env_var_name(name))
        else:
            yield required(f"{where}.name")
        if variable.get("valueFrom") is not None:
            yield from _validate_source(variable, f"{where}.valueFrom", context)
    for index, source in enumerate(container.get("envFrom") or []):
        yield from _validate_all_from(source, f"{path}.envFrom[{index}]")


def _validate_source(variable: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    source = variable["valueFrom"]
    given = [name for name in _SOURCES if source.get(name) is not None]
    for name in given:
        yield from _validate_one_source(name, source[name], f"{path}.{name}", context)
    if not given:
        yield invalid(
            path,
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
            "`secretKeyRef` or `fileKeyRef`",
        )
    elif variable.get("value"):
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield invalid(path, "", _TOO_MANY)


def _validate_one_source(
    name: str, reference: Object, path: str, context: PodContext
) -> Iterator[FieldError]:
    if name == "fieldRef":
        yield from validate_field_reference(reference, ENVIRONMENT_FIELDS, path)
    elif name == "resourceFieldRef":
        yield from validate_resource_reference(reference, path, needs_container=False)
    elif name == "fileKeyRef":
        yield from _validate_file_key(reference, path, context)
    else:
        yield from _validate_key(reference, path)


def _validate_key(reference: Object, path: str) -> Iterator[FieldError]:
    name, key = reference.get("name") or "", reference.get("key") or ""
    if not name:
        yield required(f"{path}.name")
    else:
        yield from invalid_each(f"{path}.name", name, formats.dns1123_subdomain(name))
    if not key:
        yield required(f"{path}.key")
    else:
        yield from invalid_each(f"{path}.key", key, formats.config_key(key))


def _validate_file_key(reference: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    key, volume = reference.get("key") or "", reference.get("volumeName") or ""
    if not key:
        yield required(f"{path}.key")
    else:
        yield from invalid_each(f"{path}.key", key, formats.env_var_name(key))
    if not volume:
        yield required(f"{path}.volumeName")
    elif volume not in context.volumes:
        yield not_found(f"{path}.volumeName", volume)
    elif context.volumes[volume].get("emptyDir") is None:
        yield invalid(f"{path}.volumeName", volume, "referenced volume must be of type emptyDir")
    file = reference.get("path") or ""
    if not file:
        yield required(f"{path}.path")
    elif ".." in file.split("/"):
        yield invalid(f"{path}.path", file, "must not contain '..'")


def _validate_all_from(source: Object, path: str) -> Iterator[FieldError]:
    prefix = source.get("prefix") or ""
    if prefix:
        yield from invalid_each(f"{path}.prefix", prefix, formats.env_var_name(prefix))
    given = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
    for field in given:
        name = source[field].get("name") or ""
        if not name:
            yield required(f"{path}.{field}.name")
        else:
            messages = formats.dns1123_subdomain(name)
            yield from invalid_each(f"{path}.{field}.name", name, messages)
    if not given:
        yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
    elif len(given) > 1:
        yield invalid(path, "", _TOO_MANY)
