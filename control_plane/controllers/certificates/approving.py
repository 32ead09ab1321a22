"""The approving controller: nodes' client certificates, for who may have them.

A node that asks for its own certificate again needs `create` on certificatesigningrequests/
selfnodeclient, one who asks for a node's first certificate needs it on .../nodeclient. Nothing else
is ever approved here. Source: kubernetes pkg/controller/certificates/approver/sarapprove.go.
"""

from control_plane.api.objects import Object, dig
from control_plane.api.resources import CERTIFICATESIGNINGREQUESTS, SUBJECTACCESSREVIEWS
from control_plane.controllers.certificates.conditions import (
    certificate_of,
    condition_of,
    with_condition,
)
from control_plane.controllers.certificates.issuing import parsed_request
from control_plane.controllers.certificates.signers import (
    KUBELET_CLIENT,
    common_name,
    kubelet_client,
)
from control_plane.controllers.cluster import Cluster, ReconcileError
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import For

NAME = "certificatesigningrequest-approving-controller"
BACKOFF_SECONDS = (0.2, 1000.0)
REASON = "AutoApproved"
_ANY = "Auto approving kubelet client certificate after SubjectAccessReview."
_SELF = "Auto approving self kubelet client certificate after SubjectAccessReview."


def approving(config: ControllersConfig) -> Controller:
    """The controller."""
    del config
    return Controller(
        NAME,
        "certificate-controller",
        reconcile,
        sources=(For(CERTIFICATESIGNINGREQUESTS),),
        backoff_seconds=BACKOFF_SECONDS,
    )


def questions(request: Object) -> list[tuple[str, str]]:
    """The subresources of which one must be allowed, each with what an approval then says."""
    spec = request.get("spec") or {}
    decided = certificate_of(request) or any(
        condition_of(request, kind) for kind in ("Approved", "Denied", "Failed")
    )
    if decided or spec.get("signerName") != KUBELET_CLIENT:
        return []
    try:
        parsed = parsed_request(spec.get("request") or "")
    except ValueError:
        return []
    if kubelet_client(parsed, spec.get("usages") or []):
        return []
    is_own = common_name(parsed) == spec.get("username")
    return [*[("selfnodeclient", _SELF)] * is_own, ("nodeclient", _ANY)]


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Approve the request if it is one of a node's, and its author may."""
    request = cluster.get(CERTIFICATESIGNINGREQUESTS, key)
    asked = questions(request) if request is not None else []
    if request is None or not asked:
        return DONE
    for subresource, message in asked:
        if await _may(cluster, request, subresource):
            approved = with_condition(request, "Approved", REASON, message, cluster.stamp())
            await cluster.client.update(
                CERTIFICATESIGNINGREQUESTS, approved, subresource="approval"
            )
            return DONE
    raise ReconcileError(
        f'recognized csr "{key}" as {[name for name, _ in asked]} but subject access review was '
        "not approved"
    )


async def _may(cluster: Cluster, request: Object, subresource: str) -> bool:
    spec = request["spec"]
    review: Object = {
        "apiVersion": SUBJECTACCESSREVIEWS.api_version,
        "kind": SUBJECTACCESSREVIEWS.kind,
        "metadata": {},
        "spec": {
            "user": spec.get("username", ""),
            "uid": spec.get("uid", ""),
            "groups": spec.get("groups") or [],
            "extra": spec.get("extra") or {},
            "resourceAttributes": {
                "group": CERTIFICATESIGNINGREQUESTS.group,
                "version": "*",
                "resource": CERTIFICATESIGNINGREQUESTS.plural,
                "subresource": subresource,
                "verb": "create",
            },
        },
    }
    answer = await cluster.client.create(SUBJECTACCESSREVIEWS, review)
    return bool(dig(answer, "status", "allowed", default=False))
