"""What the API is told about a pod that could not be scheduled. Pure."""

from dataclasses import dataclass
from typing import Any

from control_plane.api.objects import Object, find_condition, uid_of
from control_plane.scheduler.framework.diagnosis import Diagnosis

UNSCHEDULABLE = "Unschedulable"
SCHEDULER_ERROR = "SchedulerError"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt: the condition's reason and message, and who refused (none: an error)."""

    reason: str
    message: str
    rejectors: frozenset[str] = frozenset()
    nominated_node: str = ""

    @classmethod
    def from_diagnosis(cls, diagnosis: Diagnosis) -> "Failure":
        """Describe a cycle that found no node."""
        is_error = diagnosis.is_error
        return cls(
            SCHEDULER_ERROR if is_error else UNSCHEDULABLE,
            diagnosis.message,
            frozenset() if is_error else diagnosis.rejectors,
            diagnosis.nominated_node,
        )

    @classmethod
    def from_error(cls, error: object) -> "Failure":
        """Describe an attempt that broke."""
        return cls(SCHEDULER_ERROR, str(error))


def status_patch(pod: Object, failure: Failure, now: str) -> Object | None:
    """Return the strategic merge patch of pods/status, None when the status says all this already.

    `now` becomes lastTransitionTime only when the condition was not False before. The uid makes the
    patch miss a later pod of the same name.
    """
    status: dict[str, Any] = {}
    condition = _condition(pod, failure, now)
    if condition is not None:
        status["conditions"] = [condition]
    nominated = (pod.get("status") or {}).get("nominatedNodeName") or ""
    if failure.nominated_node and failure.nominated_node != nominated:
        status["nominatedNodeName"] = failure.nominated_node
    return {"metadata": {"uid": uid_of(pod)}, "status": status} if status else None


def _condition(pod: Object, failure: Failure, now: str) -> Object | None:
    before = find_condition(pod, "PodScheduled") or {}
    condition: Object = {
        "type": "PodScheduled",
        "status": "False",
        "reason": failure.reason,
        "message": failure.message,
    }
    generation = (pod.get("metadata") or {}).get("generation")
    if generation:
        condition["observedGeneration"] = generation
    if all(before.get(key) == value for key, value in condition.items()):
        return None
    is_same_status = before.get("status") == "False"
    condition["lastProbeTime"] = None
    condition["lastTransitionTime"] = before.get("lastTransitionTime") if is_same_status else now
    return condition
