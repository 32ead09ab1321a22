"""Rules of nodes.

Called through the VALIDATORS table. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    ErrorType,
    FieldError,
    duplicate,
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    required,
)
from control_plane.api.validation.quantities import validate_amount, validate_resource_name
from control_plane.api.validation.scheduling import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object


def validate_node(node: Object) -> Iterator[FieldError]:
    """Check a Node."""
    spec, status = node.get("spec") or {}, node.get("status") or {}
    yield from _validate_taints(spec.get("taints") or [], "metadata.taints")
    yield from _validate_resources(status)
    ranges = spec.get("podCIDRs") or []
    for index, text in enumerate(ranges):
        yield from invalid_each(f"spec.podCIDRs[{index}]", text, formats.cidr(text))
    families = [":" in text for text in ranges]
    if len(families) != len(set(families)):
        detail = "may specify no more than one CIDR for each IP family"
        yield invalid("spec.podCIDRs", ranges, detail)


def _validate_taints(taints: list[Object], path: str) -> Iterator[FieldError]:
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        where = f"{path}[{index}]"
        key, effect = taint.get("key") or "", taint.get("effect") or ""
        value = taint.get("value") or ""
        yield from invalid_each(f"{where}.key", key, formats.qualified_name(key))
        messages = formats.label_value(value)
        if messages:
            yield invalid(f"{where}.value", value, ";".join(messages))
        if not effect:
            yield required(f"{where}.effect")
        elif effect not in EFFECTS:
            yield not_supported(f"{where}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            shown = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": None}
            detail = "taints must be unique by key and effect pair"
            yield FieldError(ErrorType.DUPLICATE, where, detail, shown)
        seen.add((key, effect))


def _validate_resources(status: Object) -> Iterator[FieldError]:
    for field in ("capacity", "allocatable"):
        for name, amount in (status.get(field) or {}).items():
            where = f"status.{field}.{name}"
            yield from validate_resource_name(name, where)
            yield from validate_amount(name, amount, where)


def validate_node_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a Node, of its spec or of its status."""
    yield from validate_node(new)
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    if stored.get("podCIDRs") and spec.get("podCIDRs") != stored["podCIDRs"]:
        detail = 'node updates may not change podCIDR except from "" to valid'
        yield forbidden("spec.podCIDRs", detail)
    if spec.get("externalID") != stored.get("externalID"):
        yield forbidden("spec.externalID", "may not be updated")
    if stored.get("providerID") and spec.get("providerID") != stored["providerID"]:
        detail = 'node updates may not change providerID except from "" to valid'
        yield forbidden("spec.providerID", detail)
    addresses = (new.get("status") or {}).get("addresses") or []
    for index, address in enumerate(addresses):
        if address in addresses[:index]:
            yield duplicate(f"status.addresses[{index}]", address)
