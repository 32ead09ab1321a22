"""A PodDisruptionBudget's status from its pods. Pure.

Source: kubernetes pkg/controller/disruption/disruption.go.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from control_plane.api.disruption_budgets import (
    DISRUPTION_ALLOWED,
    SYNC_FAILED,
    status_count,
    with_allowed_condition,
    with_condition,
)
from control_plane.api.objects import Object, dig, find_condition, is_terminating, name_of
from control_plane.api.timestamps import format_time, parse
from control_plane.controllers.deployment.sizes import resolve
from control_plane.controllers.pod_state import is_ready

DELETION_TIMEOUT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Disrupted:
    """The evictions that a budget waits for, by pod name; those that did not come to pass.

    `recheck_at` is when the first of the former counts as failed, None when there are none.
    """

    waited_for: dict[str, str]
    failed: tuple[Object, ...] = ()
    recheck_at: datetime | None = None


def needs_scale(budget: Object) -> bool:
    """Whether the budget is a share of what the pods' controllers want, or leaves a share out."""
    spec = budget.get("spec") or {}
    return spec.get("maxUnavailable") is not None or isinstance(spec.get("minAvailable"), str)


def desired_healthy(budget: Object, expected: int) -> int:
    """Return how many of `expected` pods must stay; shares are rounded up."""
    spec = budget.get("spec") or {}
    missing, present = spec.get("maxUnavailable"), spec.get("minAvailable")
    if missing is not None:
        return max(0, expected - resolve(missing, expected, math.ceil))
    return resolve(present, expected, math.ceil) if present is not None else 0


def disrupted_pods(budget: Object, pods: Sequence[Object], now: datetime) -> Disrupted:
    """Sort the budget's noted evictions by what became of them; pods that are gone are done."""
    noted = dig(budget, "status", "disruptedPods") or {}
    waited_for: dict[str, str] = {}
    failed = []
    times = []
    for pod in pods:
        stamp = noted.get(name_of(pod))
        if stamp is None or is_terminating(pod):
            continue
        deadline = parse(stamp) + DELETION_TIMEOUT
        if deadline <= now:
            failed.append(pod)
        else:
            times.append(deadline)
            waited_for[name_of(pod)] = stamp
    return Disrupted(waited_for, tuple(failed), min(times, default=None))


def current_healthy(pods: Sequence[Object], disrupted: Disrupted) -> int:
    """Return how many pods are ready and not about to go."""
    staying = (pod for pod in pods if not is_terminating(pod))
    return sum(is_ready(pod) and name_of(pod) not in disrupted.waited_for for pod in staying)


def counted(
    budget: Object, pods: Sequence[Object], expected: int, disrupted: Disrupted, now: datetime
) -> Object | None:
    """Return the budget with its status counted anew; None when that says what it said before.

    While no pods are expected none may go: the first ones would appear unprotected.
    """
    healthy, desired = current_healthy(pods, disrupted), desired_healthy(budget, expected)
    counts = {
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "disruptionsAllowed": max(0, healthy - desired) if expected > 0 else 0,
        "expectedPods": expected,
        "observedGeneration": int(budget["metadata"].get("generation") or 0),
    }
    if _is_up_to_date(budget, counts, disrupted):
        return None
    status: Object = {**counts, "conditions": dig(budget, "status", "conditions") or []}
    if disrupted.waited_for:
        status["disruptedPods"] = disrupted.waited_for
    return {**budget, "status": with_allowed_condition(status, format_time(now))}


def _is_up_to_date(budget: Object, counts: dict[str, int], disrupted: Disrupted) -> bool:
    if any(status_count(budget, field) != count for field, count in counts.items()):
        return False
    if (dig(budget, "status", "disruptedPods") or {}) != disrupted.waited_for:
        return False
    condition = find_condition(budget, DISRUPTION_ALLOWED)
    wanted = "True" if counts["disruptionsAllowed"] else "False"
    return condition is not None and condition.get("status") == wanted


def failed_safe(budget: Object, why: str, now: datetime) -> Object:
    """Return the budget that lets no pod go, since nobody knows how many there should be."""
    status = {
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
        **(budget.get("status") or {}),
        "disruptionsAllowed": 0,
    }
    stamp = format_time(now)
    failed = with_condition(status, enough=False, reason=SYNC_FAILED, message=why, now=stamp)
    return {**budget, "status": failed}
