"""Conditions that said a pod was about to be deleted, on pods that were not.

Two minutes after it was set, DisruptionTarget becomes False again on a pod that stays, unless the
kubelet set it. Source: kubernetes pkg/controller/disruption/disruption.go.
"""

from datetime import datetime, timedelta

from control_plane.api.objects import (
    Object,
    deep_copy,
    find_condition,
    is_terminating,
)
from control_plane.api.timestamps import format_time, parse
from control_plane.controllers.pod_disruption import DISRUPTION_TARGET
from control_plane.controllers.pod_state import is_terminal

STALE_AFTER = timedelta(minutes=2)
BY_KUBELET = "TerminationByKubelet"


def stale_at(pod: Object) -> datetime | None:
    """Return when the pod's condition is stale, None for a pod that has none that could be."""
    condition = find_condition(pod, DISRUPTION_TARGET)
    if condition is None or condition.get("status") != "True":
        return None
    if condition.get("reason") == BY_KUBELET or is_terminating(pod) or is_terminal(pod):
        return None
    since: datetime = parse(condition["lastTransitionTime"])
    return since + STALE_AFTER


def without_target(pod: Object, now: datetime) -> Object:
    """Return the pod with its condition taken back."""
    changed = deep_copy(pod)
    new: Object = {
        "type": DISRUPTION_TARGET,
        "status": "False",
        "lastProbeTime": None,
        "lastTransitionTime": format_time(now),
    }
    generation = pod["metadata"].get("generation")
    if generation:
        new["observedGeneration"] = generation
    conditions = changed["status"]["conditions"]
    changed["status"]["conditions"] = [
        new if condition["type"] == DISRUPTION_TARGET else condition for condition in conditions
    ]
    return changed
