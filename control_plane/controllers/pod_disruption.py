"""Marking a pod as disrupted before a controller deletes it. The patch is pure."""

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object, name_of, namespace_of
from control_plane.api.resources import PODS
from control_plane.controllers.cluster import Cluster

DISRUPTION_TARGET = "DisruptionTarget"


def disruption(reason: str, message: str, stamp: str) -> Object:
    """Return the condition that says who ended a pod, and why."""
    return {
        "type": DISRUPTION_TARGET,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": stamp,
    }


def status_patch(condition: Object | None, phase: str | None) -> Object:
    """Return the strategic merge patch of a pod's status: a condition, a phase, or both."""
    status: Object = {}
    if condition is not None:
        status["conditions"] = [condition]
    if phase is not None:
        status["phase"] = phase
    return {"status": status}


async def patch_status(cluster: Cluster, pod: Object, patch: Object) -> None:
    """Send the patch; a pod that is gone needs none."""
    try:
        await cluster.client.patch(
            PODS,
            name_of(pod),
            patch,
            namespace_of(pod),
            subresource="status",
            kind="strategic",
        )
    except NotFound:
        return
