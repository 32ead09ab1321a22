"""Requests and limits as cgroup values and OOM scores. Pure. Source: kubelet cm/helpers_linux.go,
qos/policy.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api import quantity
from node.kubelet.runtimes.base import CgroupLimits
from node.kubelet.status.qos import qos_class

if TYPE_CHECKING:
    from control_plane.api.objects import Object

MIN_SHARES, MAX_SHARES = 2, 262_144
PERIOD_MICROSECONDS = 100_000
MIN_QUOTA = 1000
_CRITICAL = "system-node-critical"


def cgroup_limits(pod: Object, container: Object, node_memory_bytes: int) -> CgroupLimits:
    """Return what the container's cgroup is set to; pod-level limits stand in for missing ones."""
    pod_limits = (pod["spec"].get("resources") or {}).get("limits") or {}
    resources = container.get("resources") or {}
    limits = {**pod_limits, **(resources.get("limits") or {})}
    requests = resources.get("requests") or {}
    cpu_request = requests.get("cpu", limits.get("cpu", "0"))
    return CgroupLimits(
        cpu_shares=cpu_shares(quantity.milli(str(cpu_request))),
        cpu_quota=cpu_quota(quantity.milli(str(limits.get("cpu", "0")))),
        cpu_period=PERIOD_MICROSECONDS,
        memory_bytes=quantity.value(str(limits.get("memory", "0"))),
        oom_score_adj=oom_score(pod, container, node_memory_bytes),
    )


def cpu_shares(milli: int) -> int:
    """Return the relative weight of a request in millicores."""
    return min(max(milli * 1024 // 1000, MIN_SHARES), MAX_SHARES)


def cpu_quota(milli: int) -> int:
    """Return microseconds per period for a limit in millicores; 0 is no limit."""
    return max(milli * PERIOD_MICROSECONDS // 1000, MIN_QUOTA) if milli else 0


def oom_score(pod: Object, container: Object, node_memory_bytes: int) -> int:
    """Return oom_score_adj: the less a container asked for, the sooner it is killed."""
    quality = qos_class(pod)
    if pod["spec"].get("priorityClassName") == _CRITICAL or quality == "Guaranteed":
        return -997
    if quality == "BestEffort" or not node_memory_bytes:
        return 1000
    requests = (container.get("resources") or {}).get("requests") or {}
    request = quantity.value(str(requests.get("memory", "0")))
    return min(max(1000 - 1000 * request // node_memory_bytes, 3), 999)
