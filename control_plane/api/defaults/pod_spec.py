"""Defaults of a pod spec, wherever one stands: in a Pod and in every pod template.

Called by pods.py and workloads.py. Source: v1.35 core/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.defaults.containers import default_container
from control_plane.api.defaults.filling import fill_absent, fill_empty, part
from control_plane.api.defaults.resource_lists import round_up
from control_plane.api.defaults.volumes import default_volume
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object

CONTAINER_LISTS: Final = ("containers", "initContainers", "ephemeralContainers")
_DROPPED_ANNOTATIONS: Final = tuple(
    f"pod.{stage}.kubernetes.io/init-container{what}"
    for stage in ("beta", "alpha")
    for what in ("s", "-statuses")
)


def default_pod_spec(spec: Object) -> None:
    """Fill one pod spec in place, its volumes and containers included."""
    _mirror_service_account(spec)
    fill_empty(spec, "dnsPolicy", "ClusterFirst")
    fill_empty(spec, "restartPolicy", "Always")
    fill_empty(spec, "schedulerName", "default-scheduler")
    fill_absent(spec, "securityContext", {})
    fill_absent(spec, "terminationGracePeriodSeconds", 30)
    round_up(spec, "overhead")
    for limits in parts(spec, "resources"):
        round_up(limits, "limits", "requests")
    for volume in parts(spec, "volumes"):
        default_volume(volume)
    for field in CONTAINER_LISTS:
        for container in parts(spec, field):
            default_container(container)


def default_template(owner: Object) -> None:
    """Fill the pod template at `owner["template"]`, if there is one."""
    for template in parts(owner, "template"):
        drop_old_annotations(template)
        default_pod_spec(part(template, "spec"))


def drop_old_annotations(owner: Object) -> None:
    """Remove the annotations that carried init containers before they were fields."""
    for metadata in parts(owner, "metadata"):
        annotations = metadata.get("annotations") or {}
        for name in _DROPPED_ANNOTATIONS:
            annotations.pop(name, None)


def _mirror_service_account(spec: Object) -> None:
    """Keep the old name of the field equal to the new one, which wins when both are set."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name
