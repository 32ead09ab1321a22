"""Whether a pod may be evicted: what its disruption budgets say. Pure; eviction.py acts.

Source: the eviction storage of Kubernetes v1.35.
"""

from control_plane.api.disruption_budgets import (
    DISRUPTION_ALLOWED,
    SYNC_FAILED,
    status_count,
    with_allowed_condition,
)
from control_plane.api.errors import Forbidden, TooManyRequests
from control_plane.api.objects import Object, dig, find_condition, is_terminating, name_of
from control_plane.api.resources import Resource

MAX_DISRUPTED_PODS = 2000
STILL_PROCESSED_SECONDS = 10
_REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget."
_ENDED = ("Succeeded", "Failed")
# as upstream's refusals call it
_BUDGET = Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudget", True, storage="")


def is_beyond_budgets(pod: Object) -> bool:
    """Whether no budget counts on the pod any more, or yet."""
    phase = dig(pod, "status", "phase", default="")
    return phase in (*_ENDED, "Pending") or is_terminating(pod)


def may_change_its_mind(pod: Object) -> bool:
    """Whether a pod beyond budgets could come under one: it is deleted in this very state only."""
    return dig(pod, "status", "phase", default="") not in _ENDED and not is_terminating(pod)


def may_go_unhealthy(pod: Object, budget: Object) -> bool:
    """Whether the budget lets the pod go because it is not ready, without counting it."""
    ready = find_condition(pod, "Ready")
    if ready is not None and ready.get("status") == "True":
        return False
    if dig(budget, "spec", "unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    desired = status_count(budget, "desiredHealthy")
    return status_count(budget, "currentHealthy") >= desired > 0


def with_disruption(budget: Object, pod_name: str, now: str) -> Object:
    """Take one disruption from a budget and note the pod in it.

    Raises TooManyRequests when there is none to take, Forbidden when the status makes no sense.
    """
    _check_allowed(budget)
    status = {**budget["status"]}
    status["disruptionsAllowed"] -= 1
    if not status["disruptionsAllowed"]:
        status = with_allowed_condition(status, now)
    status["disruptedPods"] = {**(status.get("disruptedPods") or {}), pod_name: now}
    return {**budget, "status": status}


def still_processed(budget_name: str) -> TooManyRequests:
    """The refusal while the budget's status may not tell the truth."""
    text = f"The disruption budget {budget_name} is still being processed by the server."
    return _refusal(text, STILL_PROCESSED_SECONDS)


def _check_allowed(budget: Object) -> None:
    name = name_of(budget)
    if status_count(budget, "observedGeneration") < int(budget["metadata"].get("generation") or 0):
        raise still_processed(name)
    allowed = status_count(budget, "disruptionsAllowed")
    if allowed < 0:
        raise Forbidden.of(_BUDGET, name, "pdb disruptions allowed is negative")
    if len(dig(budget, "status", "disruptedPods") or {}) > MAX_DISRUPTED_PODS:
        raise Forbidden.of(
            _BUDGET,
            name,
            "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
        )
    if not allowed:
        raise _refusal(_why_not(budget))


def _why_not(budget: Object) -> str:
    name = name_of(budget)
    condition = find_condition(budget, DISRUPTION_ALLOWED) or {}
    reason, message = condition.get("reason", ""), condition.get("message", "")
    needs = f"The disruption budget {name} does not allow evicting pods currently"
    if reason == SYNC_FAILED:
        return f"{needs} because it failed sync: {message}"
    current = status_count(budget, "currentHealthy")
    desired = status_count(budget, "desiredHealthy")
    if current <= desired:
        return (
            f"The disruption budget {name} needs {desired} healthy pods and has {current} currently"
        )
    return f"{needs} ({reason}): {message}" if message else needs


def _refusal(why: str, retry_after_seconds: int = 0) -> TooManyRequests:
    cause = {"reason": "DisruptionBudget", "message": why}
    details = {"causes": [cause]}
    return TooManyRequests(_REFUSAL, retry_after_seconds=retry_after_seconds, details=details)


def with_target_condition(pod: Object, now: str) -> Object:
    """The pod with the condition that says why it is about to be deleted."""
    status = pod.setdefault("status", {})
    new: Object = {
        "type": "DisruptionTarget",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": now,
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }
    generation = pod["metadata"].get("generation")
    if generation:
        new["observedGeneration"] = generation
    old = find_condition(pod, "DisruptionTarget")
    if old is not None and old.get("status") == "True":
        new["lastTransitionTime"] = old.get("lastTransitionTime") or now
    others = [c for c in status.get("conditions") or [] if c is not old]
    status["conditions"] = [*others, new]
    return pod
