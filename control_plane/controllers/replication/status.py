"""The status of a ReplicaSet or ReplicationController. Pure. Source: replica_set_utils.go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from control_plane.api.objects import Object, dig, labels_of
from control_plane.api.timestamps import format_time
from control_plane.controllers.conditions import condition, find, without_condition
from control_plane.controllers.counts import nonzero
from control_plane.controllers.pod_state import available_at, is_available, is_ready
from control_plane.controllers.replication.plan import replicas_of

FAILURE = "ReplicaFailure"
_OMITTED_ZEROS = (
    "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Observed:
    """Active pods, the number being deleted (None: not counted), what failed ("": nothing)."""

    pods: Sequence[Object]
    terminating: int | None = None
    failure: str = ""


def min_ready_seconds(owner: Object) -> int:
    """Return for how long a pod must be ready to be available."""
    return int(dig(owner, "spec", "minReadySeconds", default=0))


def status_of(owner: Object, observed: Observed, now: datetime) -> dict[str, Any]:
    """Return the status of `owner`; the parts that it does not concern are carried over."""
    labels = dig(owner, "spec", "template", "metadata", "labels", default={})
    pods, wait = observed.pods, min_ready_seconds(owner)
    before: Object = owner.get("status") or {}
    status = {name: value for name, value in before.items() if name not in _OMITTED_ZEROS}
    status["replicas"] = len(pods)
    status |= nonzero(
        fullyLabeledReplicas=sum(labels.items() <= labels_of(pod).items() for pod in pods),
        readyReplicas=sum(map(is_ready, pods)),
        availableReplicas=sum(is_available(pod, wait, now) for pod in pods),
        observedGeneration=dig(owner, "metadata", "generation", default=0),
    )
    if observed.terminating is not None:
        status["terminatingReplicas"] = observed.terminating
    conditions = _conditions(owner, observed, now)
    if conditions or status.get("conditions"):
        status["conditions"] = conditions
    return status


def _conditions(owner: Object, observed: Observed, now: datetime) -> list[Object]:
    """Set the failure condition when there is a failure and none is reported, else drop it."""
    old = dig(owner, "status", "conditions", default=[])
    if not observed.failure:
        return without_condition(old, FAILURE)
    if find(old, FAILURE):
        return list(old)
    too_few = len(observed.pods) < replicas_of(owner)
    reason = "FailedCreate" if too_few else "FailedDelete"
    return [*old, condition(FAILURE, "True", reason, observed.failure, format_time(now))]


def seconds_to_next_available(owner: Object, pods: Sequence[Object], now: datetime) -> float | None:
    """Return when a ready pod becomes available next, in seconds; None when none is waiting."""
    wait = min_ready_seconds(owner)
    waiting = [pod for pod in pods if is_ready(pod) and not is_available(pod, wait, now)]
    if not waiting:
        return None
    moments = [moment for pod in waiting if (moment := available_at(pod, wait))]
    if not moments:
        return float(wait)
    return max(0.0, (min(moments) - now).total_seconds())
