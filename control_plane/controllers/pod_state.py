"""What controllers ask of a pod: is it active, ready, available? Pure.

Source: kubernetes pkg/controller/controller_utils.go, pkg/api/v1/pod/util.go.
"""

from datetime import datetime, timedelta

from control_plane.api.objects import Object, dig, find_condition, is_terminating
from control_plane.api.timestamps import parse

TERMINAL_PHASES = ("Succeeded", "Failed")


def phase_of(pod: Object) -> str:
    """Return the phase, "" when the pod has none yet."""
    return str(dig(pod, "status", "phase", default="") or "")


def is_terminal(pod: Object) -> bool:
    """Whether its containers have ended for good."""
    return phase_of(pod) in TERMINAL_PHASES


def is_active(pod: Object) -> bool:
    """Whether it counts as a replica: neither ended nor being deleted."""
    return not is_terminal(pod) and not is_terminating(pod)


def is_ending(pod: Object) -> bool:
    """Whether it is being deleted and has not ended yet."""
    return not is_terminal(pod) and is_terminating(pod)


def is_ready(pod: Object) -> bool:
    """Whether its Ready condition is True."""
    ready = find_condition(pod, "Ready")
    return ready is not None and ready["status"] == "True"


def ready_since(pod: Object) -> datetime | None:
    """Return when a ready pod became so; None when it is not ready or does not say."""
    ready = find_condition(pod, "Ready")
    if ready is None or ready["status"] != "True" or not ready.get("lastTransitionTime"):
        return None
    when: datetime = parse(ready["lastTransitionTime"])
    return when


def available_at(pod: Object, min_ready_seconds: int) -> datetime | None:
    """Return when a ready pod has been so for `min_ready_seconds`; None when it is not ready."""
    since = ready_since(pod)
    return since and since + timedelta(seconds=min_ready_seconds)


def is_available(pod: Object, min_ready_seconds: int, now: datetime) -> bool:
    """Whether it has been ready for at least `min_ready_seconds`."""
    if min_ready_seconds == 0:
        return is_ready(pod)
    when = available_at(pod, min_ready_seconds)
    return when is not None and when <= now
