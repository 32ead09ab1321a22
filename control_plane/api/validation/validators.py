"""VALIDATORS: the rules of every kind, by group, kind and subresource.

Names are DNS-1123 subdomains unless a row says otherwise. Called by the package's entry points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import (
    access_rules,
    address_objects,
    autoscalers,
    controller_revisions,
    cron_jobs,
    csi_objects,
    daemon_sets,
    disruption_budgets,
    endpoints,
    events,
    formats,
    ingress_classes,
    ingresses,
    job_status,
    jobs,
    limit_ranges,
    network_policies,
    nodes,
    pod_templates,
    pod_update,
    pods,
    priority_classes,
    resource_quotas,
    runtime_classes,
    services,
    signing_requests,
    small_objects,
    stateful_sets,
    storage,
    storage_classes,
    volume_attachments,
    workloads,
)
from control_plane.api.validation.validator import Validator, on_both

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VALIDATORS", "Validator"]

_REPLICAS_STATUS: Final = Validator(on_update=workloads.validate_replicas_status)

VALIDATORS: Final[Mapping[tuple[str, str, str], Validator]] = {
    ("", "ConfigMap", ""): Validator(
        small_objects.validate_config_map, small_objects.validate_config_map_update
    ),
    ("", "Endpoints", ""): Validator(
        endpoints.validate_endpoints, endpoints.validate_endpoints_update
    ),
    ("", "Event", ""): on_both(events.validate_event, formats.path_segment),
    ("", "LimitRange", ""): on_both(limit_ranges.validate_limit_range),
    ("", "Namespace", ""): on_both(small_objects.validate_namespace, formats.dns1123_label),
    ("", "Namespace", "status"): Validator(
        on_update=small_objects.validate_namespace_status_update
    ),
    ("", "Namespace", "finalize"): on_both(small_objects.validate_namespace),
    ("", "Node", ""): Validator(nodes.validate_node, nodes.validate_node_update),
    ("", "Node", "status"): Validator(on_update=nodes.validate_node_update),
    ("", "PersistentVolume", ""): Validator(
        storage.validate_volume, storage.validate_volume_update
    ),
    ("", "PersistentVolumeClaim", ""): Validator(
        storage.validate_claim, storage.validate_claim_update
    ),
    ("", "Pod", ""): Validator(pods.validate_pod, pod_update.validate_pod_update),
    ("", "Pod", "status"): Validator(on_update=pods.validate_pod_status_update),
    ("", "PodTemplate", ""): on_both(pod_templates.validate_pod_template),
    ("", "ReplicationController", ""): on_both(workloads.validate_replication_controller),
    ("", "ReplicationController", "status"): _REPLICAS_STATUS,
    ("", "ResourceQuota", ""): Validator(
        resource_quotas.validate_resource_quota, resource_quotas.validate_resource_quota_update
    ),
    ("", "ResourceQuota", "status"): Validator(
        on_update=resource_quotas.validate_resource_quota_status
    ),
    ("", "Secret", ""): Validator(
        small_objects.validate_secret, small_objects.validate_secret_update
    ),
    ("", "Service", ""): Validator(
        services.validate_service, services.validate_service_update, formats.dns1035_label
    ),
    ("", "Service", "status"): Validator(on_update=services.validate_service_status),
    ("apps", "ControllerRevision", ""): Validator(
        controller_revisions.validate_controller_revision,
        controller_revisions.validate_controller_revision_update,
    ),
    ("apps", "DaemonSet", ""): Validator(
        daemon_sets.validate_daemon_set, daemon_sets.validate_daemon_set_update
    ),
    ("apps", "DaemonSet", "status"): Validator(on_update=daemon_sets.validate_daemon_set_status),
    ("apps", "Deployment", ""): Validator(
        workloads.validate_deployment, workloads.validate_deployment_update
    ),
    ("apps", "Deployment", "status"): _REPLICAS_STATUS,
    ("apps", "ReplicaSet", ""): Validator(
        workloads.validate_replica_set, workloads.validate_replica_set_update
    ),
    ("apps", "ReplicaSet", "status"): _REPLICAS_STATUS,
    ("apps", "StatefulSet", ""): Validator(
        stateful_sets.validate_new_stateful_set,
        stateful_sets.validate_stateful_set_update,
        formats.dns1123_label,
    ),
    ("apps", "StatefulSet", "status"): Validator(
        on_update=stateful_sets.validate_stateful_set_status
    ),
    ("autoscaling", "HorizontalPodAutoscaler", ""): Validator(
        autoscalers.validate_autoscaler, autoscalers.validate_autoscaler_update
    ),
    ("autoscaling", "HorizontalPodAutoscaler", "status"): Validator(
        on_update=autoscalers.validate_autoscaler_status
    ),
    ("batch", "CronJob", ""): Validator(
        cron_jobs.validate_new_cron_job, cron_jobs.validate_cron_job_update
    ),
    ("batch", "Job", ""): Validator(jobs.validate_new_job, jobs.validate_job_update),
    ("batch", "Job", "status"): Validator(on_update=job_status.validate_job_status),
    ("certificates.k8s.io", "CertificateSigningRequest", ""): Validator(
        signing_requests.validate_signing_request,
        signing_requests.validate_update,
        formats.path_segment,
    ),
    ("certificates.k8s.io", "CertificateSigningRequest", "approval"): Validator(
        on_update=signing_requests.validate_approval_update
    ),
    ("certificates.k8s.io", "CertificateSigningRequest", "status"): Validator(
        on_update=signing_requests.validate_status_update
    ),
    ("coordination.k8s.io", "Lease", ""): on_both(small_objects.validate_lease),
    ("discovery.k8s.io", "EndpointSlice", ""): Validator(
        endpoints.validate_endpoint_slice, endpoints.validate_endpoint_slice_update
    ),
    ("node.k8s.io", "RuntimeClass", ""): Validator(
        runtime_classes.validate_runtime_class, runtime_classes.validate_runtime_class_update
    ),
    ("policy", "PodDisruptionBudget", ""): on_both(disruption_budgets.validate_disruption_budget),
    ("policy", "PodDisruptionBudget", "status"): Validator(
        on_update=disruption_budgets.validate_disruption_budget_status
    ),
    ("rbac.authorization.k8s.io", "ClusterRole", ""): on_both(
        access_rules.validate_cluster_role, formats.path_segment
    ),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", ""): Validator(
        access_rules.validate_cluster_role_binding,
        access_rules.validate_cluster_role_binding_update,
        formats.path_segment,
    ),
    ("rbac.authorization.k8s.io", "Role", ""): on_both(
        access_rules.validate_role, formats.path_segment
    ),
    ("rbac.authorization.k8s.io", "RoleBinding", ""): Validator(
        access_rules.validate_role_binding,
        access_rules.validate_role_binding_update,
        formats.path_segment,
    ),
    ("scheduling.k8s.io", "PriorityClass", ""): Validator(
        priority_classes.validate_priority_class, priority_classes.validate_priority_class_update
    ),
    ("events.k8s.io", "Event", ""): Validator(
        events.validate_new_event, events.validate_event_update
    ),
    ("networking.k8s.io", "IPAddress", ""): Validator(
        address_objects.validate_ip_address,
        address_objects.validate_ip_address_update,
        address_objects.ip_address_name,
    ),
    ("networking.k8s.io", "Ingress", ""): Validator(
        ingresses.validate_new_ingress, lambda new, _old: ingresses.validate_ingress(new)
    ),
    ("networking.k8s.io", "Ingress", "status"): Validator(
        on_update=ingresses.validate_ingress_status
    ),
    ("networking.k8s.io", "IngressClass", ""): Validator(
        ingress_classes.validate_ingress_class, ingress_classes.validate_ingress_class_update
    ),
    ("networking.k8s.io", "NetworkPolicy", ""): on_both(network_policies.validate_network_policy),
    ("networking.k8s.io", "ServiceCIDR", ""): Validator(
        address_objects.validate_service_cidr, address_objects.validate_service_cidr_update
    ),
    ("networking.k8s.io", "ServiceCIDR", "status"): Validator(
        on_update=address_objects.validate_service_cidr_status
    ),
    ("storage.k8s.io", "CSIDriver", ""): Validator(
        csi_objects.validate_csi_driver, csi_objects.validate_csi_driver_update
    ),
    ("storage.k8s.io", "CSINode", ""): Validator(
        csi_objects.validate_csi_node, csi_objects.validate_csi_node_update
    ),
    ("storage.k8s.io", "CSIStorageCapacity", ""): Validator(
        csi_objects.validate_storage_capacity, csi_objects.validate_storage_capacity_update
    ),
    ("storage.k8s.io", "StorageClass", ""): Validator(
        storage_classes.validate_storage_class, storage_classes.validate_storage_class_update
    ),
    ("storage.k8s.io", "VolumeAttachment", ""): Validator(
        volume_attachments.validate_attachment, volume_attachments.validate_attachment_update
    ),
    ("storage.k8s.io", "VolumeAttachment", "status"): Validator(
        on_update=volume_attachments.validate_attachment_update
    ),
    ("storage.k8s.io", "VolumeAttributesClass", ""): Validator(
        storage_classes.validate_attributes_class, storage_classes.validate_attributes_class_update
    ),
}
