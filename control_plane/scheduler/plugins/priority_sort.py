"""PrioritySort: higher priority first, then whoever has waited longer."""

from control_plane.scheduler.framework.pod_info import PodInfo

NAME = "PrioritySort"


def queue_key(pod: PodInfo, queued_at: float) -> tuple[int, float]:
    """Return the sort key; smaller goes first."""
    return (-pod.priority, queued_at)
