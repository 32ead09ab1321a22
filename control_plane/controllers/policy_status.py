"""The validatingadmissionpolicy-status controller: says in policies what their types get wrong.

Each generation of a policy is checked once, against the types as they are then. Source: kubernetes
pkg/controller/validatingadmissionpolicystatus.
"""

from control_plane.api.objects import Object
from control_plane.api.policies.type_checking import expression_warnings, group_versions_of
from control_plane.api.resources import VALIDATINGADMISSIONPOLICIES
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.policy_kinds import PolicyKinds, published_kinds
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import For


def policy_status(config: ControllersConfig) -> Controller:
    """Return the controller of policies' status."""
    del config
    return Controller(
        "validatingadmissionpolicy-status-controller",
        "validatingadmissionpolicy-status-controller",
        reconcile,
        sources=(For(VALIDATINGADMISSIONPOLICIES),),
    )


def is_checked(policy: Object) -> bool:
    """Tell whether this generation of a policy has been checked."""
    generation = policy["metadata"].get("generation") or 0
    return bool(((policy.get("status") or {}).get("observedGeneration") or 0) >= generation)


def checked_status(policy: Object, kinds: PolicyKinds) -> Object:
    """Return the status that a policy should have."""
    warnings = expression_warnings(policy, kinds.kind_of, kinds.type_of)
    checking = {"expressionWarnings": warnings} if warnings else {}
    generation = policy["metadata"].get("generation") or 0
    status = policy.get("status") or {}
    return {**status, "observedGeneration": generation, "typeChecking": checking}


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Check the policy `key` if it has changed."""
    policy = cluster.get(VALIDATINGADMISSIONPOLICIES, key)
    if policy is not None and not is_checked(policy):
        kinds = await published_kinds(cluster.client, group_versions_of(policy))
        changed = {**policy, "status": checked_status(policy, kinds)}
        await cluster.client.update(VALIDATINGADMISSIONPOLICIES, changed, subresource="status")
    return DONE
