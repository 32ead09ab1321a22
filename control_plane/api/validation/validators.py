"""VALIDATORS: the rules of every kind, by group, kind and subresource.

Names are DNS-1123 subdomains unless a row says otherwise. Called by the package's entry points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import (
    access_rules,
    address_objects,
    admission_policies,
    api_services,
    autoscalers,
    controller_revisions,
    cron_jobs,
    csi_objects,
    custom_resource_definitions,
    daemon_sets,
    device_claim_status,
    device_claims,
    device_slices,
    disruption_budgets,
    endpoints,
    events,
    flow_schemas,
    formats,
    ingress_classes,
    ingresses,
    job_status,
    jobs,
    limit_ranges,
    mutating_policies,
    network_policies,
    nodes,
    pod_subresources,
    pod_templates,
    pod_update,
    pods,
    priority_classes,
    priority_levels,
    resource_quotas,
    runtime_classes,
    services,
    signing_requests,
    small_objects,
    stateful_sets,
    storage,
    storage_classes,
    volume_attachments,
    webhooks,
    workloads,
)
from control_plane.api.validation.validator import Validator, on_both

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VALIDATORS", "Validator"]

_REPLICAS_STATUS: Final = Validator(on_update=workloads.validate_replicas_status)

_WEBHOOKS: Final = Validator(
    webhooks.validate_configuration, webhooks.validate_configuration_update
)

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
    ("", "PersistentVolumeClaim", "status"): Validator(on_update=storage.validate_claim_status),
    ("", "Pod", ""): Validator(pods.validate_pod, pod_update.validate_pod_update),
    ("", "Pod", "ephemeralcontainers"): Validator(
        on_update=pod_subresources.validate_ephemeral_containers_update
    ),
    ("", "Pod", "resize"): Validator(on_update=pod_subresources.validate_resize),
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
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy", ""): Validator(
        mutating_policies.validate_policy, mutating_policies.validate_policy_update
    ),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", ""): on_both(
        mutating_policies.validate_binding
    ),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", ""): _WEBHOOKS,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", ""): Validator(
        admission_policies.validate_policy, admission_policies.validate_policy_update
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "status"): Validator(
        on_update=admission_policies.validate_policy_status
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", ""): on_both(
        admission_policies.validate_policy_binding
    ),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", ""): _WEBHOOKS,
    ("apiextensions.k8s.io", "CustomResourceDefinition", ""): Validator(
        custom_resource_definitions.validate_definition,
        custom_resource_definitions.validate_definition_update,
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "status"): Validator(
        on_update=custom_resource_definitions.validate_definition_status
    ),
    ("apiregistration.k8s.io", "APIService", ""): on_both(
        api_services.validate_api_service, formats.path_segment
    ),
    ("apiregistration.k8s.io", "APIService", "status"): Validator(
        on_update=api_services.validate_api_service_status
    ),
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
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", ""): on_both(flow_schemas.validate_flow_schema),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", "status"): Validator(
        on_update=flow_schemas.validate_conditioned_status
    ),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", ""): on_both(
        priority_levels.validate_priority_level
    ),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "status"): Validator(
        on_update=flow_schemas.validate_conditioned_status
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
    ("resource.k8s.io", "DeviceClass", ""): on_both(device_slices.validate_class),
    ("resource.k8s.io", "ResourceClaim", ""): Validator(
        device_claims.validate_claim, device_claims.validate_claim_update
    ),
    ("resource.k8s.io", "ResourceClaim", "status"): Validator(
        on_update=device_claim_status.validate_claim_status
    ),
    ("resource.k8s.io", "ResourceClaimTemplate", ""): Validator(
        device_claims.validate_template, device_claims.validate_template_update
    ),
    ("resource.k8s.io", "ResourceSlice", ""): Validator(
        device_slices.validate_slice, device_slices.validate_slice_update
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
