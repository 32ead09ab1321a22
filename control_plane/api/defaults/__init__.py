"""What the API fills in when a client leaves it out: one function per kind, in one table.

`apply_defaults(resource, obj)` runs on every create and update after decoding, and on the result of
every patch. It changes `obj` in place, is idempotent, and does nothing for kinds without a row.
Fields that need state (cluster IPs, node ports, uids) are not defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.defaults.access import default_role_binding
from control_plane.api.defaults.admission import (
    default_api_service,
    default_mutating_webhooks,
    default_policy,
    default_policy_binding,
    default_validating_webhooks,
)
from control_plane.api.defaults.autoscaling import default_autoscaler, default_autoscaler_v1
from control_plane.api.defaults.cluster import (
    default_limit_range,
    default_pod_template,
    default_priority_class,
    default_resource_quota,
    default_runtime_class,
)
from control_plane.api.defaults.core import default_namespace, default_node, default_secret
from control_plane.api.defaults.custom_resources import default_custom_resource_definition
from control_plane.api.defaults.devices import (
    default_resource_claim,
    default_resource_claim_template,
)
from control_plane.api.defaults.flowcontrol import default_flow_schema, default_priority_level
from control_plane.api.defaults.jobs import default_cron_job, default_job
from control_plane.api.defaults.networking import default_ingress_class, default_network_policy
from control_plane.api.defaults.pods import default_pod
from control_plane.api.defaults.services import (
    default_endpoint_slice,
    default_endpoints,
    default_service,
)
from control_plane.api.defaults.storage import (
    default_csi_driver,
    default_persistent_volume,
    default_persistent_volume_claim,
    default_storage_class,
    default_volume_attachment,
)
from control_plane.api.defaults.workloads import (
    default_daemon_set,
    default_deployment,
    default_replica_set,
    default_replication_controller,
    default_stateful_set,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.objects import Object
    from control_plane.api.resources import Resource

DEFAULTS: Final[Mapping[tuple[str, str], Callable[[Object], None]]] = {
    # (group, kind): kinds that upstream defaults nothing of (ConfigMap, Event, Lease, ...) have no
    # row
    ("", "Endpoints"): default_endpoints,
    ("", "LimitRange"): default_limit_range,
    ("", "Namespace"): default_namespace,
    ("", "Node"): default_node,
    ("", "PersistentVolume"): default_persistent_volume,
    ("", "PersistentVolumeClaim"): default_persistent_volume_claim,
    ("", "Pod"): default_pod,
    ("", "PodTemplate"): default_pod_template,
    ("", "ReplicationController"): default_replication_controller,
    ("", "ResourceQuota"): default_resource_quota,
    ("", "Secret"): default_secret,
    ("", "Service"): default_service,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): default_policy,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): default_policy_binding,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): default_mutating_webhooks,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): default_policy,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): default_policy_binding,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): (
        default_validating_webhooks
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): default_custom_resource_definition,
    ("apiregistration.k8s.io", "APIService"): default_api_service,
    ("apps", "DaemonSet"): default_daemon_set,
    ("apps", "Deployment"): default_deployment,
    ("apps", "ReplicaSet"): default_replica_set,
    ("apps", "StatefulSet"): default_stateful_set,
    ("autoscaling", "HorizontalPodAutoscaler"): default_autoscaler,
    ("batch", "CronJob"): default_cron_job,
    ("batch", "Job"): default_job,
    ("discovery.k8s.io", "EndpointSlice"): default_endpoint_slice,
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): default_flow_schema,
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): default_priority_level,
    ("node.k8s.io", "RuntimeClass"): default_runtime_class,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): default_role_binding,
    ("rbac.authorization.k8s.io", "RoleBinding"): default_role_binding,
    ("resource.k8s.io", "ResourceClaim"): default_resource_claim,
    ("resource.k8s.io", "ResourceClaimTemplate"): default_resource_claim_template,
    ("scheduling.k8s.io", "PriorityClass"): default_priority_class,
    ("networking.k8s.io", "IngressClass"): default_ingress_class,
    ("networking.k8s.io", "NetworkPolicy"): default_network_policy,
    ("storage.k8s.io", "CSIDriver"): default_csi_driver,
    ("storage.k8s.io", "StorageClass"): default_storage_class,
    ("storage.k8s.io", "VolumeAttachment"): default_volume_attachment,
}
# Versions that upstream defaults in another way than the stored one.
OF_ONE_VERSION: Final[Mapping[tuple[str, str, str], Callable[[Object], None]]] = {
    ("autoscaling", "v1", "HorizontalPodAutoscaler"): default_autoscaler_v1,
}


def apply_defaults(resource: Resource, obj: Object) -> None:
    """Fill in, in place, what `obj` of this resource leaves out."""
    if resource.custom is not None:
        resource.custom.fill(obj)
        return
    own = OF_ONE_VERSION.get((resource.group, resource.version, resource.kind))
    fill = own or DEFAULTS.get((resource.group, resource.kind))
    if fill is not None:
        fill(obj)
