"""Rules of pod disruption budgets.

Called through the VALIDATORS table. Source: v1.35 policy/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation.conditions import validate_conditions
from control_plane.api.validation.controlled_pods import (
    validate_share,
    validate_share_below_whole,
)
from control_plane.api.validation.field_errors import invalid, non_negative, not_supported
from control_plane.api.validation.labels import validate_selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_POLICIES: Final = ("AlwaysAllow", "IfHealthyBudget")
_COUNTS: Final = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


def validate_disruption_budget(budget: Object) -> Iterator[FieldError]:
    """Check a PodDisruptionBudget."""
    spec = budget.get("spec") or {}
    shares = {field: spec.get(field) for field in ("minAvailable", "maxUnavailable")}
    policy = spec.get("unhealthyPodEvictionPolicy")
    if None not in shares.values():
        shown = {
            "MinAvailable": shares["minAvailable"],
            "Selector": spec.get("selector"),
            "MaxUnavailable": shares["maxUnavailable"],
            "UnhealthyPodEvictionPolicy": policy,
        }
        yield invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for field, share in shares.items():
        if share is not None:
            yield from validate_share(share, f"spec.{field}")
            yield from validate_share_below_whole(share, f"spec.{field}")
    yield from validate_selector(spec.get("selector"), "spec.selector")
    if policy is not None and policy not in _POLICIES:
        yield not_supported("spec.unhealthyPodEvictionPolicy", policy, _POLICIES)


def validate_disruption_budget_status(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check the counts and conditions in a PodDisruptionBudget's status."""
    status = new.get("status") or {}
    yield from validate_conditions(status.get("conditions"), "status.conditions")
    for field in _COUNTS:
        yield from non_negative(f"status.{field}", status.get(field))
