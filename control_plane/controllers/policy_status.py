"""The validatingadmissionpolicy-status controller: says in policies what their types get wrong.

Each generation of a policy is checked once. Policies about custom resources are not checked against
their schemas. Source: kubernetes pkg/controller/validatingadmissionpolicystatus.
"""

from control_plane.api.objects import Object
from control_plane.api.policies.type_checking import expression_warnings
from control_plane.api.resources import VALIDATINGADMISSIONPOLICIES, resource_named
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
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


def checked_status(policy: Object) -> Object | None:
    """Return the status that a policy should have; None when this generation has been checked."""
    status = policy.get("status") or {}
    generation = policy["metadata"].get("generation") or 0
    if (status.get("observedGeneration") or 0) >= generation:
        return None
    warnings = expression_warnings(policy, _kind_of)
    checking = {"expressionWarnings": warnings} if warnings else {}
    return {**status, "observedGeneration": generation, "typeChecking": checking}


def _kind_of(group: str, version: str, plural: str) -> str | None:
    found = resource_named(group, version, plural)
    return found.kind if found is not None else None


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Check the policy `key` if it has changed."""
    policy = cluster.get(VALIDATINGADMISSIONPOLICIES, key)
    status = checked_status(policy) if policy is not None else None
    if policy is not None and status is not None:
        changed = {**policy, "status": status}
        await cluster.client.update(VALIDATINGADMISSIONPOLICIES, changed, subresource="status")
    return DONE
