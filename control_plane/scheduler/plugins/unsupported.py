"""Requirements that are not implemented yet, refused under the name of the plugin that will
implement them.

A pod that insists on one of these must not be placed as if it did not; it stays pending and its
condition says why. Preferences (preferred affinity, ScheduleAnyway) are only worth score, so they
do not stop a pod.
"""

from collections.abc import Callable, Iterator

from control_plane.api.objects import dig
from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.plugin import PreFilter, PreFilterResult
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot
from control_plane.scheduler.framework.status import unresolvable

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
CLAIM_VOLUMES = ("persistentVolumeClaim", "ephemeral")


def pod_affinity(pod: PodInfo) -> Iterator[str]:
    """Yield the required inter-pod terms' fields."""
    for kind in ("podAffinity", "podAntiAffinity"):
        if dig(pod.spec, "affinity", kind, REQUIRED):
            yield f"spec.affinity.{kind}.{REQUIRED}"


def topology_spread(pod: PodInfo) -> Iterator[str]:
    """Yield the hard spread constraints' fields."""
    for index, constraint in enumerate(pod.spec.get("topologySpreadConstraints") or ()):
        if constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule":
            yield f"spec.topologySpreadConstraints[{index}]"


def claim_volumes(pod: PodInfo) -> Iterator[str]:
    """Yield the volumes that need a claim to be bound."""
    for index, volume in enumerate(pod.spec.get("volumes") or ()):
        for kind in CLAIM_VOLUMES:
            if volume.get(kind):
                yield f"spec.volumes[{index}].{kind}"


def resource_claims(pod: PodInfo) -> Iterator[str]:
    """Yield the claims for devices."""
    for index, _claim in enumerate(pod.spec.get("resourceClaims") or ()):
        yield f"spec.resourceClaims[{index}]"


def refusing(plugin: str, fields: Callable[[PodInfo], Iterator[str]]) -> PreFilter:
    """Return a pre_filter that refuses pods with any of these fields, by name."""

    def pre_filter(_state: CycleState, pod: PodInfo, _snapshot: Snapshot) -> PreFilterResult:
        found = list(fields(pod))
        if not found:
            return PreFilterResult(skip=True)
        reason = (
            f"{plugin} is not supported by this scheduler yet, but {', '.join(found)} requires it"
        )
        return PreFilterResult(unresolvable(plugin, reason))

    return pre_filter
