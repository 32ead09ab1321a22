"""Rules of a pod's affinity to nodes and to other pods.

Called by pod_spec.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import forbidden, invalid, invalid_each, required
from control_plane.api.validation.labels import validate_selector
from control_plane.api.validation.node_affinity import (
    validate_node_selector,
    validate_node_selector_term,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"


def validate_affinity(affinity: Object, path: str) -> Iterator[FieldError]:
    """Check all three kinds of affinity."""
    yield from _validate_node_affinity(affinity.get("nodeAffinity") or {}, f"{path}.nodeAffinity")
    for field in ("podAffinity", "podAntiAffinity"):
        group = affinity.get(field) or {}
        for index, term in enumerate(group.get(_REQUIRED) or []):
            yield from _validate_pod_term(term, f"{path}.{field}.{_REQUIRED}[{index}]")
        for index, weighted in enumerate(group.get(_PREFERRED) or []):
            where = f"{path}.{field}.{_PREFERRED}[{index}]"
            yield from _validate_weight(weighted, where)
            term = weighted.get("podAffinityTerm") or {}
            yield from _validate_pod_term(term, f"{where}.podAffinityTerm")


def _validate_node_affinity(affinity: Object, path: str) -> Iterator[FieldError]:
    if affinity.get(_REQUIRED) is not None:
        yield from validate_node_selector(affinity[_REQUIRED], f"{path}.{_REQUIRED}")
    for index, weighted in enumerate(affinity.get(_PREFERRED) or []):
        where = f"{path}.{_PREFERRED}[{index}]"
        yield from _validate_weight(weighted, where)
        preference = weighted.get("preference") or {}
        yield from validate_node_selector_term(preference, f"{where}.preference")


def _validate_weight(weighted: Object, path: str) -> Iterator[FieldError]:
    weight = weighted.get("weight") or 0
    if not 1 <= weight <= 100:
        yield invalid(f"{path}.weight", weight, "must be in the range 1-100")


def _validate_pod_term(term: Object, path: str) -> Iterator[FieldError]:
    yield from validate_selector(term.get("labelSelector"), f"{path}.labelSelector")
    yield from validate_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for name in term.get("namespaces") or []:
        yield from invalid_each(f"{path}.namespace", name, formats.dns1123_label(name))
    yield from _validate_label_keys(term, path)
    key = term.get("topologyKey") or ""
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from invalid_each(f"{path}.topologyKey", key, formats.qualified_name(key))


def _validate_label_keys(term: Object, path: str) -> Iterator[FieldError]:
    matched = term.get("matchLabelKeys") or []
    for field in ("matchLabelKeys", "mismatchLabelKeys"):
        keys = term.get(field) or []
        if keys and term.get("labelSelector") is None:
            detail = "must not be specified when labelSelector is not set"
            yield forbidden(f"{path}.{field}", detail)
        for index, key in enumerate(keys):
            messages = formats.qualified_name(key)
            yield from invalid_each(f"{path}.{field}[{index}]", key, messages)
    for index, key in enumerate(term.get("mismatchLabelKeys") or []):
        if key in matched:
            detail = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield invalid(f"{path}.mismatchLabelKeys[{index}]", key, detail)
