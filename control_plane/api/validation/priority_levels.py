"""Rules of PriorityLevelConfigurations.

Called through the VALIDATORS table. Source: v1.35 flowcontrol validation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from control_plane.api.flow_bootstrap import EXEMPT, MANDATORY_LEVELS
from control_plane.api.objects import name_of
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    forbidden,
    invalid,
    not_supported,
    required,
)
from control_plane.api.validation.flow_schemas import validate_conditioned_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_QUEUES: Final = 10_000_000
MAX_ENTROPY_BITS: Final = 60
_TYPES: Final = ("Exempt", "Limited")
_RESPONSES: Final = ("Queue", "Reject")


def validate_priority_level(level: Object) -> Iterator[FieldError]:
    """Check a PriorityLevelConfiguration."""
    name, spec = name_of(level), level.get("spec") or {}
    kind = spec.get("type") or ""
    if (name == EXEMPT) != (kind == "Exempt"):
        detail = "type must be 'Exempt' if and only if name is 'exempt'"
        yield invalid("spec.type", kind, detail)
    if kind == "Exempt":
        yield from _validate_exempt_spec(spec)
    elif kind == "Limited":
        yield from _validate_limited_spec(spec)
    else:
        yield not_supported("spec.type", kind, _TYPES)
    yield from _validate_fixed(name, spec)
    yield from validate_conditioned_status(level, level)


def _validate_fixed(name: str, spec: Object) -> Iterator[FieldError]:
    fixed = MANDATORY_LEVELS.get(name)
    if fixed is None:
        return
    if name == EXEMPT:
        if not semantically_equal({**spec, EXEMPT: None}, {**fixed, EXEMPT: None}):
            detail = "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value"
            yield invalid("spec", spec, detail)
    elif not semantically_equal(spec, fixed):
        yield invalid("spec", spec, f"spec of '{name}' must equal the fixed value")


def _validate_exempt_spec(spec: Object) -> Iterator[FieldError]:
    if spec.get("limited") is not None:
        yield forbidden("spec.limited", "must be nil if the type is not Limited")
    exempt = spec.get("exempt")
    if exempt is not None:
        yield from _validate_shares(exempt, "spec.exempt")
        yield from _validate_lendable(exempt, "spec.exempt")


def _validate_limited_spec(spec: Object) -> Iterator[FieldError]:
    if spec.get("exempt") is not None:
        yield forbidden("spec.exempt", "must be nil if the type is Limited")
    limited = spec.get("limited")
    if limited is None:
        yield required("spec.limited", "must not be empty when type is Limited")
        return
    yield from _validate_shares(limited, "spec.limited")
    yield from _validate_response(limited.get("limitResponse") or {}, "spec.limited.limitResponse")
    yield from _validate_lendable(limited, "spec.limited")
    borrowing = limited.get("borrowingLimitPercent")
    if borrowing is not None and borrowing < 0:
        detail = "if specified, must be a non-negative integer"
        yield invalid("spec.limited.borrowingLimitPercent", borrowing, detail)


def _validate_shares(owner: Object, path: str) -> Iterator[FieldError]:
    shares = owner.get("nominalConcurrencyShares")
    if shares is not None and shares < 0:
        where = f"{path}.nominalConcurrencyShares"
        yield invalid(where, shares, "must be a non-negative integer")


def _validate_lendable(owner: Object, path: str) -> Iterator[FieldError]:
    lendable = owner.get("lendablePercent")
    if lendable is not None and not 0 <= lendable <= 100:
        yield invalid(f"{path}.lendablePercent", lendable, formats.in_range(0, 100))


def _validate_response(response: Object, path: str) -> Iterator[FieldError]:
    kind, queuing = response.get("type") or "", response.get("queuing")
    if kind == "Reject":
        if queuing is not None:
            detail = "must be nil if limited.limitResponse.type is not Limited"
            yield forbidden(f"{path}.queuing", detail)
    elif kind == "Queue":
        if queuing is None:
            detail = "must not be empty if limited.limitResponse.type is Limited"
            yield required(f"{path}.queuing", detail)
        else:
            yield from _validate_queuing(queuing, f"{path}.queuing")
    else:
        yield not_supported(f"{path}.type", kind, _RESPONSES)


def _validate_queuing(queuing: Object, path: str) -> Iterator[FieldError]:
    queues, hand, length = (
        queuing.get(field) or 0 for field in ("queues", "handSize", "queueLengthLimit")
    )
    if length <= 0:
        yield invalid(f"{path}.queueLengthLimit", length, "must be positive")
    if queues <= 0:
        yield invalid(f"{path}.queues", queues, "must be positive")
    elif queues > MAX_QUEUES:
        yield invalid(f"{path}.queues", queues, f"must not be greater than {MAX_QUEUES}")
    trouble = _hand_trouble(queues, hand)
    if trouble:
        yield invalid(f"{path}.handSize", hand, trouble)


def _hand_trouble(queues: int, hand: int) -> str:
    if hand <= 0:
        return "must be positive"
    if hand > queues:
        return f"should not be greater than queues ({queues})"
    if math.ceil(math.log2(queues) * hand) > MAX_ENTROPY_BITS:
        return (
            f"required entropy bits of deckSize {queues} and handSize {hand} "
            f"should not be greater than {MAX_ENTROPY_BITS}"
        )
    return ""
