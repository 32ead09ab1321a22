"""Rules of APIServices.

Called through the VALIDATORS table. Source: v1.35 kube-aggregator apiregistration validation.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from control_plane.api.go_syntax import quote
from control_plane.api.objects import name_of
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    invalid,
    invalid_each,
    not_supported,
    required,
)
from control_plane.api.validation.webhook_clients import validate_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_GROUP_PRIORITY: Final = 20_000
MAX_VERSION_PRIORITY: Final = 1_000
_STATUSES: Final = ("True", "False", "Unknown")
_INSECURE: Final = "spec.insecureSkipTLSVerify"


def validate_api_service(service: Object) -> Iterator[FieldError]:
    """Check an APIService."""
    spec = service.get("spec") or {}
    group, version = spec.get("group") or "", spec.get("version") or ""
    wanted = f"{version}.{group}"
    if name_of(service) != wanted:
        detail = f'must be `spec.version+"."+spec.group`: {quote(wanted)}'
        yield invalid("metadata.name", name_of(service), detail)
    if not group and version != "v1":
        yield required("spec.group", "only v1 may have an empty group and it better be legacy kube")
    if group:
        yield from invalid_each("spec.group", group, formats.dns1123_subdomain(group))
    yield from invalid_each("spec.version", version, formats.dns1035_label(version))
    for field, limit in (
        ("groupPriorityMinimum", MAX_GROUP_PRIORITY),
        ("versionPriority", MAX_VERSION_PRIORITY),
    ):
        priority = spec.get(field) or 0
        if not 0 < priority <= limit:
            yield invalid(f"spec.{field}", priority, f"must be positive and less than {limit}")
    if spec.get("service") is None:
        yield from _validate_local(spec)
    else:
        yield from _validate_remote(spec, spec["service"])


def _validate_local(spec: Object) -> Iterator[FieldError]:
    if spec.get("caBundle"):
        size = f"{_length(spec['caBundle'])} bytes"
        yield invalid("spec.caBundle", size, "local APIServices may not have a caBundle")
    if spec.get("insecureSkipTLSVerify"):
        detail = "local APIServices may not have insecureSkipTLSVerify"
        yield invalid(_INSECURE, spec["insecureSkipTLSVerify"], detail)


def _length(text: str) -> int:
    try:
        return len(base64.b64decode(text))
    except binascii.Error:
        return len(text)


def _validate_remote(spec: Object, service: Object) -> Iterator[FieldError]:
    for field in ("namespace", "name"):
        if not service.get(field):
            yield required(f"spec.service.{field}")
    yield from validate_port(service.get("port"), "spec.service.port")
    if spec.get("insecureSkipTLSVerify") and spec.get("caBundle"):
        yield invalid(
            _INSECURE, spec["insecureSkipTLSVerify"], "may not be true if caBundle is present"
        )


def validate_api_service_status(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check the conditions of an APIService."""
    conditions = (new.get("status") or {}).get("conditions") or []
    for index, condition in enumerate(conditions):
        status = condition.get("status") or ""
        if status not in _STATUSES:
            yield not_supported(f"status.conditions[{index}].status", status, _STATUSES)
