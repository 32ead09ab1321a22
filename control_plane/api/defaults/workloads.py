"""Defaults of the controllers' objects that carry a pod template.

Called through the DEFAULTS table. Source: v1.35 apps/v1 and core/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.defaults.filling import fill_absent, fill_empty, part
from control_plane.api.defaults.pod_spec import default_template
from control_plane.api.defaults.storage import default_persistent_volume_claim
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def default_deployment(deployment: Object) -> None:
    """Fill one Deployment in place."""
    spec = part(deployment, "spec")
    fill_absent(spec, "replicas", 1)
    strategy = part(spec, "strategy")
    fill_empty(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = part(strategy, "rollingUpdate")
        fill_absent(rolling, "maxUnavailable", "25%")
        fill_absent(rolling, "maxSurge", "25%")
    fill_absent(spec, "revisionHistoryLimit", 10)
    fill_absent(spec, "progressDeadlineSeconds", 600)
    part(spec, "template")
    default_template(spec)


def default_daemon_set(daemon_set: Object) -> None:
    """Fill one DaemonSet in place."""
    spec = part(daemon_set, "spec")
    strategy = part(spec, "updateStrategy")
    fill_empty(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = part(strategy, "rollingUpdate")
        fill_absent(rolling, "maxUnavailable", 1)
        fill_absent(rolling, "maxSurge", 0)
    fill_absent(spec, "revisionHistoryLimit", 10)
    part(spec, "template")
    default_template(spec)


def default_stateful_set(stateful_set: Object) -> None:
    """Fill one StatefulSet in place, the claims its pods get included.

    An explicit RollingUpdate without parameters stays without.
    """
    spec = part(stateful_set, "spec")
    fill_empty(spec, "podManagementPolicy", "OrderedReady")
    strategy = part(spec, "updateStrategy")
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        part(strategy, "rollingUpdate")
    if strategy["type"] == "RollingUpdate":
        for rolling in parts(strategy, "rollingUpdate"):
            fill_absent(rolling, "partition", 0)
    retention = part(spec, "persistentVolumeClaimRetentionPolicy")
    fill_empty(retention, "whenDeleted", "Retain")
    fill_empty(retention, "whenScaled", "Retain")
    fill_absent(spec, "replicas", 1)
    fill_absent(spec, "revisionHistoryLimit", 10)
    for claim in parts(spec, "volumeClaimTemplates"):
        default_persistent_volume_claim(claim)
    part(spec, "template")
    default_template(spec)


def default_replica_set(replica_set: Object) -> None:
    """Fill one ReplicaSet in place; its selector is never derived from the template."""
    spec = part(replica_set, "spec")
    fill_absent(spec, "replicas", 1)
    part(spec, "template")
    default_template(spec)


def default_replication_controller(controller: Object) -> None:
    """Fill one ReplicationController in place: selector and labels come from the
    template's labels.
    """
    spec = part(controller, "spec")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if labels:
        fill_empty(spec, "selector", dict(labels))
        fill_empty(part(controller, "metadata"), "labels", dict(labels))
    fill_absent(spec, "replicas", 1)
    default_template(spec)
