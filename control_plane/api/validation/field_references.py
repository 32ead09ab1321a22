"""References to the pod's own fields and resources, in environment variables and volumes.

Called by environment.py and volumes.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    invalid,
    invalid_each,
    not_supported,
    required,
)
from control_plane.api.validation.quantities import HUGE_PAGES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

ENVIRONMENT_FIELDS: Final = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
    "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
VOLUME_FIELDS: Final = (
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace",
    "metadata.uid",
)  # fmt: skip
_SUBSCRIPTED: Final = re.compile(r"(metadata\.(?:labels|annotations))\['(.*)'\]")
# the fields a pod field label may name at all; others cannot be converted
_CONVERTIBLE: Final = frozenset({
    *ENVIRONMENT_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName",
    "spec.hostNetwork", "status.phase", "status.nominatedNodeName",
})  # fmt: skip
_RESOURCES: Final = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu",
    "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_CPU_DIVISORS: Final = ("1m", "1")
_BYTE_DIVISORS: Final = (
    "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
)  # fmt: skip


def validate_field_reference(
    reference: Object, allowed: Collection[str], path: str
) -> Iterator[FieldError]:
    """Check that a fieldRef names a field this place may use."""
    version, field = reference.get("apiVersion") or "", reference.get("fieldPath") or ""
    if not version:
        yield required(f"{path}.apiVersion")
        return
    if not field:
        yield required(f"{path}.fieldPath")
        return
    where = f"{path}.fieldPath"
    subscripted = _SUBSCRIPTED.fullmatch(field)
    if subscripted is not None:
        yield from _validate_subscript(subscripted[1], subscripted[2], field, where)
    elif "['" in field:
        base = field.partition("[")[0]
        yield invalid(
            where,
            field,
            f"error converting fieldPath: field label does not support subscript: {base}",
        )
    elif version != "v1":
        yield invalid(
            where, field, f"error converting fieldPath: unsupported pod version: {version}"
        )
    elif field not in _CONVERTIBLE:
        yield invalid(
            where, field, f"error converting fieldPath: field label not supported: {field}"
        )
    elif field not in allowed:
        yield not_supported(where, field, sorted(allowed))


def _validate_subscript(field: str, key: str, text: str, path: str) -> Iterator[FieldError]:
    lowered = key.lower() if field == "metadata.annotations" else key
    yield from invalid_each(path, key, formats.qualified_name(lowered))


def validate_resource_reference(
    reference: Object, path: str, *, needs_container: bool
) -> Iterator[FieldError]:
    """Check that a resourceFieldRef names a resource of a container, and a fitting divisor."""
    resource = reference.get("resource") or ""
    if needs_container and not reference.get("containerName"):
        yield required(f"{path}.containerName")
    elif not resource:
        yield required(f"{path}.resource")
    elif resource not in _RESOURCES and not resource.startswith(
        (f"limits.{HUGE_PAGES}", f"requests.{HUGE_PAGES}")
    ):
        yield not_supported(f"{path}.resource", resource, _RESOURCES)
    yield from _validate_divisor(resource, str(reference.get("divisor") or "0"), path)


def _validate_divisor(resource: str, divisor: str, path: str) -> Iterator[FieldError]:
    if divisor in ("", "0"):
        return
    name = resource.partition(".")[2]
    kinds = {"cpu": "cpu", "memory": "memory", "ephemeral-storage": "local ephemeral storage"}
    kind = "hugepages" if name.startswith(HUGE_PAGES) else kinds.get(name)
    if kind is None:
        return
    allowed = _CPU_DIVISORS if kind == "cpu" else _BYTE_DIVISORS
    if divisor not in allowed:
        shown = " and ".join(allowed) if kind == "cpu" else ", ".join(allowed)
        yield invalid(
            f"{path}.divisor",
            divisor,
            f"only divisor's values {shown} are supported with the {kind} resource",
        )
