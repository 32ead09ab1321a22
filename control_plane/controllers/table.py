"""CONTROLLERS: one line per controller. *The* table.

Names are those of kube-controller-manager's --controllers flag. Adding a controller means a module
with a factory, and a line here. Used by server.py; tests iterate it.
"""

from collections.abc import Callable, Mapping

from control_plane.controllers.account_token_secrets import account_token_secrets
from control_plane.controllers.bootstrap.cleaner import token_cleaner
from control_plane.controllers.bootstrap.signer import bootstrap_signer
from control_plane.controllers.certificates.approving import approving
from control_plane.controllers.certificates.cleaning import cleaning
from control_plane.controllers.certificates.signing import signing
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.deployment.controller import deployment
from control_plane.controllers.disruption.controller import disruption
from control_plane.controllers.endpoints.controller import endpoints
from control_plane.controllers.endpointslice.controller import endpointslice
from control_plane.controllers.garbage_collector.controller import garbage_collector
from control_plane.controllers.legacy_tokens import legacy_tokens
from control_plane.controllers.namespace.controller import namespace
from control_plane.controllers.node_lifecycle.controller import node_lifecycle
from control_plane.controllers.pod_gc import pod_gc
from control_plane.controllers.policy_status import policy_status
from control_plane.controllers.replication.controller import replicaset, replicationcontroller
from control_plane.controllers.resource_quota import resource_quota
from control_plane.controllers.role_aggregation import role_aggregation
from control_plane.controllers.root_ca import root_ca
from control_plane.controllers.runtime import Controller
from control_plane.controllers.service_cidrs import service_cidrs
from control_plane.controllers.serviceaccount import serviceaccount
from control_plane.controllers.storage_protection import claim_protection, volume_protection
from control_plane.controllers.taint_eviction import taint_eviction

CONTROLLERS: Mapping[str, Callable[[ControllersConfig], Controller]] = {
    "bootstrap-signer-controller": bootstrap_signer,
    "certificatesigningrequest-approving-controller": approving,
    "certificatesigningrequest-cleaner-controller": cleaning,
    "certificatesigningrequest-signing-controller": signing,
    "clusterrole-aggregation-controller": role_aggregation,
    "deployment-controller": deployment,
    "disruption-controller": disruption,
    "endpoints-controller": endpoints,
    "endpointslice-controller": endpointslice,
    "garbage-collector-controller": garbage_collector,
    "legacy-serviceaccount-token-cleaner-controller": legacy_tokens,
    "namespace-controller": namespace,
    "node-lifecycle-controller": node_lifecycle,
    "persistentvolume-protection-controller": volume_protection,
    "persistentvolumeclaim-protection-controller": claim_protection,
    "pod-garbage-collector-controller": pod_gc,
    "replicaset-controller": replicaset,
    "replicationcontroller-controller": replicationcontroller,
    "resourcequota-controller": resource_quota,
    "root-ca-certificate-publisher-controller": root_ca,
    "service-cidr-controller": service_cidrs,
    "serviceaccount-controller": serviceaccount,
    "serviceaccount-token-controller": account_token_secrets,
    "taint-eviction-controller": taint_eviction,
    "token-cleaner-controller": token_cleaner,
    "validatingadmissionpolicy-status-controller": policy_status,
}
OFF_BY_DEFAULT = frozenset({"bootstrap-signer-controller", "token-cleaner-controller"})
