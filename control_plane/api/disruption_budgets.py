"""What a PodDisruptionBudget says and how its status is written: shared by those who do both.

The disruption controller counts into the status, the API server's evictions take from it. Pure;
times are RFC 3339 text. Source: v1.35 policy/v1 and its helpers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api import label_selector
from control_plane.api.objects import dig, labels_of

if TYPE_CHECKING:
    from control_plane.api.objects import Object

DISRUPTION_ALLOWED: Final = "DisruptionAllowed"
SUFFICIENT: Final = "SufficientPods"
INSUFFICIENT: Final = "InsufficientPods"
SYNC_FAILED: Final = "SyncFailed"


def selects(budget: Object, pod: Object) -> bool:
    """Tell whether a budget of the pod's namespace is about this pod; a broken selector is not."""
    try:
        selector = label_selector.from_object(dig(budget, "spec", "selector"))
    except ValueError:
        return False
    return selector.matches(labels_of(pod))


def status_count(budget: Object, field: str) -> int:
    """Return a number of the status, 0 where nobody has counted yet."""
    return int(dig(budget, "status", field, default=0) or 0)


def with_allowed_condition(status: Object, now: str) -> Object:
    """Return the status with the condition that its disruptionsAllowed calls for."""
    enough = bool(status.get("disruptionsAllowed"))
    reason = SUFFICIENT if enough else INSUFFICIENT
    return with_condition(status, enough=enough, reason=reason, message="", now=now)


def with_condition(status: Object, *, enough: bool, reason: str, message: str, now: str) -> Object:
    """Return the status with DisruptionAllowed set; its time is that of the last real change."""
    conditions = list(status.get("conditions") or [])
    new: Object = {
        "type": DISRUPTION_ALLOWED,
        "status": "True" if enough else "False",
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }
    if status.get("observedGeneration"):
        new["observedGeneration"] = status["observedGeneration"]
    for index, old in enumerate(conditions):
        if old.get("type") == DISRUPTION_ALLOWED:
            if old.get("status") == new["status"]:
                new["lastTransitionTime"] = old.get("lastTransitionTime") or now
            conditions[index] = new
            break
    else:
        conditions.append(new)
    return {**status, "conditions": conditions}
