"""STRATEGIES: one row per way of writing a resource; a subresource is another row of the same
resource.

`prepare_for_create` and `prepare_for_update` look the row up and apply it in place. Resources
without a row are stored as they come, with a status and a spec kept apart where they have both.
Source: v1.35 registry strategies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.preparation import (
    api_services,
    custom_resources,
    daemon_sets,
    device_claims,
    jobs,
    namespaces,
    nodes,
    plain,
    pods,
    services,
    signing_requests,
    small_objects,
    stateful_sets,
    storage,
)
from control_plane.api.preparation.status_zeros import fill_status
from control_plane.api.preparation.strategy import (
    Strategy,
    first_generation,
    keep_system_metadata,
    nothing_on_create,
    nothing_on_update,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.objects import Object
    from control_plane.api.resources import Resource

_AS_IT_COMES: Final = Strategy(nothing_on_create, nothing_on_update)
_ADDED_BY_PUT: Final = Strategy(nothing_on_create, nothing_on_update, create_on_update=True)
_STATUS: Final = Strategy(nothing_on_create, plain.keep_spec)
_WORKLOAD: Final = Strategy(plain.create_workload, plain.update_workload)
_WITH_STATUS: Final = Strategy(plain.empty_status, plain.keep_status)
_COUNTED_WITH_STATUS: Final = Strategy(
    plain.first_generation_and_status, plain.keep_status_and_count_specs
)
_COUNTED: Final = Strategy(first_generation, plain.count_specs)
_COUNTED_CONDITIONALLY: Final = Strategy(
    first_generation, plain.count_specs, unconditional_update=False
)
_CONDITIONAL: Final = Strategy(nothing_on_create, nothing_on_update, unconditional_update=False)
_STATUS_ALONE: Final = Strategy(nothing_on_create, plain.keep_spec_and_metadata)
_WEBHOOKS: Final = Strategy(first_generation, plain.count_webhooks, unconditional_update=False)

STRATEGIES: Final[Mapping[tuple[str, str, str], Strategy]] = {
    # by group, kind and subresource
    ("", "ConfigMap", ""): _AS_IT_COMES,
    ("", "Endpoints", ""): _ADDED_BY_PUT,
    ("", "Event", ""): Strategy(
        nothing_on_create, nothing_on_update, create_on_update=True, default_propagation=""
    ),
    ("", "LimitRange", ""): Strategy(
        nothing_on_create, nothing_on_update, create_on_update=True, names_nameless=True
    ),
    ("", "Namespace", ""): Strategy(namespaces.create_namespace, namespaces.update_namespace),
    ("", "Namespace", "status"): _STATUS,
    ("", "Namespace", "finalize"): Strategy(nothing_on_create, namespaces.finalize_namespace),
    ("", "Node", ""): Strategy(nodes.create_node, nodes.update_node),
    ("", "Node", "status"): _STATUS,
    ("", "PersistentVolume", ""): Strategy(storage.create_volume, plain.keep_status),
    ("", "PersistentVolume", "status"): Strategy(nothing_on_create, storage.update_volume_status),
    ("", "PersistentVolumeClaim", ""): Strategy(storage.create_claim, storage.update_claim),
    ("", "PersistentVolumeClaim", "status"): _STATUS,
    ("", "Pod", ""): Strategy(pods.create_pod, pods.update_pod),
    ("", "Pod", "ephemeralcontainers"): Strategy(
        nothing_on_create, pods.update_ephemeral_containers
    ),
    ("", "Pod", "resize"): Strategy(nothing_on_create, pods.resize_pod),
    ("", "Pod", "status"): Strategy(nothing_on_create, pods.update_pod_status),
    ("", "PodTemplate", ""): Strategy(first_generation, plain.count_templates),
    ("", "ReplicationController", ""): Strategy(
        plain.create_workload, plain.update_workload, default_propagation="Orphan"
    ),
    ("", "ReplicationController", "status"): _STATUS,
    ("", "ResourceQuota", ""): _WITH_STATUS,
    ("", "ResourceQuota", "status"): _STATUS,
    ("", "Secret", ""): Strategy(nothing_on_create, small_objects.update_secret),
    ("", "Service", ""): Strategy(
        services.create_service, services.update_service, create_on_update=True
    ),
    ("", "Service", "status"): _STATUS,
    ("", "ServiceAccount", ""): Strategy(
        small_objects.create_service_account, small_objects.update_service_account
    ),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy", ""): _COUNTED_CONDITIONALLY,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", ""): _COUNTED_CONDITIONALLY,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", ""): _WEBHOOKS,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", ""): Strategy(
        plain.first_generation_and_status,
        plain.keep_status_and_count_specs,
        unconditional_update=False,
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "status"): _STATUS_ALONE,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", ""): (
        _COUNTED_CONDITIONALLY
    ),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", ""): _WEBHOOKS,
    ("apiextensions.k8s.io", "CustomResourceDefinition", ""): Strategy(
        custom_resources.create_definition,
        custom_resources.update_definition,
        unconditional_update=False,
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "status"): _STATUS_ALONE,
    ("apiregistration.k8s.io", "APIService", ""): Strategy(
        api_services.create_api_service, plain.keep_status, unconditional_update=False
    ),
    ("apiregistration.k8s.io", "APIService", "status"): _STATUS_ALONE,
    ("apps", "ControllerRevision", ""): _AS_IT_COMES,
    ("apps", "DaemonSet", ""): Strategy(
        daemon_sets.create_daemon_set, daemon_sets.update_daemon_set
    ),
    ("apps", "DaemonSet", "status"): _STATUS,
    ("apps", "Deployment", ""): Strategy(plain.create_workload, plain.update_deployment),
    ("apps", "Deployment", "status"): Strategy(nothing_on_create, plain.keep_spec_and_labels),
    ("apps", "ReplicaSet", ""): _WORKLOAD,
    ("apps", "ReplicaSet", "status"): _STATUS,
    ("apps", "StatefulSet", ""): Strategy(
        stateful_sets.create_stateful_set, stateful_sets.update_stateful_set
    ),
    ("apps", "StatefulSet", "status"): _STATUS,
    ("autoscaling", "HorizontalPodAutoscaler", ""): _WITH_STATUS,
    ("autoscaling", "HorizontalPodAutoscaler", "status"): _STATUS,
    ("batch", "CronJob", ""): Strategy(jobs.create_cron_job, jobs.update_cron_job),
    ("batch", "CronJob", "status"): _STATUS,
    ("batch", "Job", ""): Strategy(
        jobs.create_job, plain.update_workload, default_propagation="Orphan"
    ),
    ("batch", "Job", "status"): _STATUS,
    ("certificates.k8s.io", "CertificateSigningRequest", ""): Strategy(
        signing_requests.create_signing_request, signing_requests.update_signing_request
    ),
    ("certificates.k8s.io", "CertificateSigningRequest", "approval"): Strategy(
        nothing_on_create, signing_requests.update_approval
    ),
    ("certificates.k8s.io", "CertificateSigningRequest", "status"): Strategy(
        nothing_on_create, signing_requests.update_status
    ),
    ("coordination.k8s.io", "Lease", ""): Strategy(
        small_objects.create_lease,
        small_objects.update_lease,
        create_on_update=True,
        unconditional_update=False,
    ),
    ("discovery.k8s.io", "EndpointSlice", ""): Strategy(
        first_generation, plain.count_content_and_labels
    ),
    ("events.k8s.io", "Event", ""): Strategy(
        nothing_on_create, nothing_on_update, create_on_update=True, default_propagation=""
    ),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", ""): _COUNTED_WITH_STATUS,
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", "status"): _STATUS_ALONE,
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", ""): _COUNTED_WITH_STATUS,
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "status"): _STATUS_ALONE,
    ("node.k8s.io", "RuntimeClass", ""): Strategy(
        nothing_on_create, nothing_on_update, create_on_update=True, unconditional_update=False
    ),
    ("policy", "PodDisruptionBudget", ""): Strategy(
        plain.first_generation_and_status,
        plain.keep_status_and_count_specs,
        unconditional_update=False,
    ),
    ("policy", "PodDisruptionBudget", "status"): Strategy(
        nothing_on_create, plain.keep_spec, unconditional_update=False
    ),
    ("rbac.authorization.k8s.io", "ClusterRole", ""): _ADDED_BY_PUT,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", ""): _ADDED_BY_PUT,
    ("rbac.authorization.k8s.io", "Role", ""): _ADDED_BY_PUT,
    ("rbac.authorization.k8s.io", "RoleBinding", ""): _ADDED_BY_PUT,
    ("resource.k8s.io", "DeviceClass", ""): Strategy(
        device_claims.create_class, device_claims.update_class
    ),
    ("resource.k8s.io", "ResourceClaim", ""): Strategy(
        device_claims.create_claim, device_claims.update_claim
    ),
    ("resource.k8s.io", "ResourceClaim", "status"): Strategy(
        nothing_on_create, device_claims.update_claim_status
    ),
    ("resource.k8s.io", "ResourceClaimTemplate", ""): Strategy(
        device_claims.create_template, device_claims.update_template
    ),
    ("resource.k8s.io", "ResourceSlice", ""): Strategy(
        device_claims.create_slice, device_claims.update_slice
    ),
    ("scheduling.k8s.io", "PriorityClass", ""): Strategy(first_generation, nothing_on_update),
    ("networking.k8s.io", "IPAddress", ""): _AS_IT_COMES,
    ("networking.k8s.io", "Ingress", ""): _COUNTED_WITH_STATUS,
    ("networking.k8s.io", "Ingress", "status"): _STATUS,
    ("networking.k8s.io", "IngressClass", ""): _COUNTED,
    ("networking.k8s.io", "NetworkPolicy", ""): _COUNTED,
    ("networking.k8s.io", "ServiceCIDR", ""): _WITH_STATUS,
    ("networking.k8s.io", "ServiceCIDR", "status"): _STATUS_ALONE,
    ("storage.k8s.io", "CSIDriver", ""): Strategy(
        nothing_on_create, plain.count_specs, unconditional_update=False
    ),
    ("storage.k8s.io", "CSINode", ""): _CONDITIONAL,
    ("storage.k8s.io", "CSIStorageCapacity", ""): _CONDITIONAL,
    ("storage.k8s.io", "StorageClass", ""): _AS_IT_COMES,
    ("storage.k8s.io", "VolumeAttachment", ""): Strategy(
        plain.empty_status, plain.keep_status, unconditional_update=False
    ),
    ("storage.k8s.io", "VolumeAttachment", "status"): _STATUS_ALONE,
    ("storage.k8s.io", "VolumeAttributesClass", ""): _AS_IT_COMES,
}


def strategy_for(resource: Resource, subresource: str = "") -> Strategy:
    """Return how this resource, or its subresource, is written; "scale" writes as the resource
    itself does.
    """
    if resource.custom is not None:
        return resource.custom.strategy(subresource)
    key = (resource.group, resource.kind)
    found = STRATEGIES.get((*key, "" if subresource == "scale" else subresource))
    if found is not None:
        return found
    if subresource == "status":
        return _STATUS
    return _WITH_STATUS if any(s.name == "status" for s in resource.subresources) else _AS_IT_COMES


def prepare_for_create(resource: Resource, obj: Object, *, now: str) -> None:
    """Set and clear, in place, what a create of `obj` sets and clears. `now` is an RFC
    3339 time.
    """
    strategy_for(resource).prepare_create(obj, now)
    fill_status(resource, obj)


def prepare_for_update(
    resource: Resource, new: Object, old: Object, *, now: str, subresource: str = ""
) -> None:
    """Bring `new`, in place, in line with the stored `old` as this endpoint must. `old` stays
    untouched.
    """
    keep_system_metadata(new, old)
    strategy_for(resource, subresource).prepare_update(new, old, now)
    fill_status(resource, new)
