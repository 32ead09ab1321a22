"""Warnings: what the API answers beside the object, as Warning headers.

`warnings_on_create` and `warnings_on_update` look a kind up in WARNINGS; they run on objects that
are valid. DEPRECATED has the kinds that every request is warned of. A kind's warnings are a file or
a function and a line here. Texts are upstream's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.warnings import networking, small_objects, storage, workloads
from control_plane.api.warnings.finalizers import warn_of_finalizers
from control_plane.api.warnings.warner import Warner, on_both

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from control_plane.api.objects import Object
    from control_plane.api.resources import Resource

__all__ = [
    "DEPRECATED", "WARNINGS", "Warner", "deprecation", "warnings_on_create", "warnings_on_update",
]  # fmt: skip

DEPRECATED: Final[Mapping[tuple[str, str, str], str]] = {
    # by group, version and kind
    ("", "v1", "ComponentStatus"): "v1 ComponentStatus is deprecated in v1.19+",
    ("", "v1", "Endpoints"): (
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    ),
}
_CONTROLLER: Final = Warner(workloads.warn_of_new_controller, workloads.warn_of_changed_template)

WARNINGS: Final[Mapping[tuple[str, str, str], Warner]] = {
    # by group, kind and subresource
    ("", "Endpoints", ""): on_both(networking.warn_of_endpoints),
    ("", "Node", ""): on_both(small_objects.warn_of_node),
    ("", "PersistentVolume", ""): on_both(storage.warn_of_volume),
    ("", "PersistentVolumeClaim", ""): on_both(storage.warn_of_claim),
    ("", "Pod", ""): Warner(workloads.warn_of_new_pod),
    ("", "Pod", "status"): Warner(on_update=workloads.warn_of_pod_status),
    ("", "PodTemplate", ""): Warner(
        workloads.warn_of_new_pod_template, workloads.warn_of_changed_pod_template
    ),
    ("", "ReplicationController", ""): _CONTROLLER,
    ("", "ResourceQuota", ""): Warner(small_objects.warn_of_quota),
    ("", "Secret", ""): on_both(small_objects.warn_of_secret),
    ("", "Service", ""): on_both(networking.warn_of_service),
    ("", "ServiceAccount", ""): Warner(
        small_objects.warn_of_new_account, small_objects.warn_of_changed_account
    ),
    ("apps", "DaemonSet", ""): Warner(
        workloads.warn_of_new_template, workloads.warn_of_changed_template
    ),
    ("apps", "Deployment", ""): _CONTROLLER,
    ("apps", "ReplicaSet", ""): _CONTROLLER,
    ("apps", "StatefulSet", ""): Warner(
        workloads.warn_of_new_stateful_set, workloads.warn_of_changed_stateful_set
    ),
    ("batch", "CronJob", ""): Warner(
        workloads.warn_of_new_cron_job, workloads.warn_of_changed_cron_job
    ),
    ("batch", "Job", ""): Warner(workloads.warn_of_new_job, workloads.warn_of_changed_job),
    ("discovery.k8s.io", "EndpointSlice", ""): Warner(
        networking.warn_of_new_endpoint_slice,
        lambda new, _old: networking.warn_of_endpoint_slice(new),
    ),
    ("networking.k8s.io", "Ingress", ""): Warner(networking.warn_of_new_ingress),
    ("networking.k8s.io", "NetworkPolicy", ""): on_both(networking.warn_of_network_policy),
    ("node.k8s.io", "RuntimeClass", ""): on_both(small_objects.warn_of_runtime_class),
    ("storage.k8s.io", "CSIDriver", ""): on_both(storage.warn_of_driver),
    ("storage.k8s.io", "CSIStorageCapacity", ""): on_both(storage.warn_of_capacity),
    ("storage.k8s.io", "StorageClass", ""): on_both(storage.warn_of_storage_class),
}
_SILENT: Final = Warner()


def deprecation(resource: Resource) -> str | None:
    """Return the warning that every request for this resource gets, or None."""
    if resource.custom is not None:
        return resource.custom.warning or None
    return DEPRECATED.get((resource.group, resource.version, resource.kind))


def warnings_on_create(resource: Resource, obj: Object) -> Iterable[str]:
    """Return what the creator of an object should know of it."""
    if resource.custom is not None:
        return warn_of_finalizers(obj, {})
    return WARNINGS.get((resource.group, resource.kind, ""), _SILENT).on_create(obj)


def warnings_on_update(
    resource: Resource, new: Object, old: Object, *, subresource: str = ""
) -> Iterable[str]:
    """Return what who writes through this endpoint should know; "scale" is the object's own."""
    if resource.custom is not None:
        of_finalizers = () if subresource == "status" else warn_of_finalizers(new, old)
        return [*resource.custom.warnings_on_update(new, old), *of_finalizers]
    endpoint = "" if subresource == "scale" else subresource
    found = WARNINGS.get((resource.group, resource.kind, endpoint), _SILENT)
    return found.on_update(new, old)
