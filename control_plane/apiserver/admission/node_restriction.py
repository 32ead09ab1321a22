"""NodeRestriction: nodes change themselves and what runs on them, and of that only their part.

RULES has a function for each resource that is restricted; each gets the node's name. Source: the
admission plugin NodeRestriction of Kubernetes v1.35.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping

from cryptography import x509
from cryptography.x509.oid import NameOID

from control_plane.api.objects import Object, dig
from control_plane.apiserver.admission import node_pods
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.node.authorizer import LEASE_NAMESPACE
from control_plane.apiserver.auth.node.identity import NODE_PREFIX, node_of

_CAPACITY_FIELDS = (
    "capacity", "conditions", "allocatedResources", "allocatedResourceStatuses",
    "currentVolumeAttributesClassName", "modifyVolumeStatus",
)  # fmt: skip
_SIGNERS = ("kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet")
_RESTRICTED = "node-restriction.kubernetes.io"
_KUBERNETES = ("kubernetes.io", "k8s.io")
_KUBELET = ("kubelet.kubernetes.io", "node.kubernetes.io")
_LABELS = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)

Rule = Callable[[Plugin, Review, str], Awaitable[None]]


class NodeRestriction(Plugin):
    """Asks RULES about every write of a node."""

    async def admit(self, review: Review) -> None:
        """Raise Forbidden for what a node may not do; the others' writes are none of its."""
        user = review.call.user
        node = node_of(user)
        if node is None or review.operation is Operation.CONNECT:
            return
        if not node:
            raise review.forbidden(f'could not determine node from user "{user.name}"')
        rule = RULES.get((review.resource.group, review.resource.plural))
        if rule is not None:
            await rule(self, review, node)


async def _node(plugin: Plugin, review: Review, node: str) -> None:
    del plugin
    if review.operation is Operation.CREATE:
        _check_new_node(review, node)
    if review.name != node:
        text = f'node "{node}" is not allowed to modify node "{review.name}"'
        raise review.forbidden(text)
    if review.operation is Operation.UPDATE and review.old is not None:
        _check_changed_node(review, review.old, node)


def _check_new_node(review: Review, node: str) -> None:
    if dig(review.obj, "spec", "configSource") is not None:
        text = f'node "{node}" is not allowed to create pods with a non-nil configSource'
        raise review.forbidden(text)
    refused = ", ".join(forbidden_labels({}, _labels(review.obj)))
    if refused:
        text = f'node "{node}" is not allowed to set the following labels: {refused}'
        raise review.forbidden(text)


def _check_changed_node(review: Review, old: Object, node: str) -> None:
    new = review.obj
    if dig(new, "spec", "taints", default=[]) != dig(old, "spec", "taints", default=[]):
        raise review.forbidden(f'node "{node}" is not allowed to modify taints')
    refused = ", ".join(forbidden_labels(_labels(old), _labels(new)))
    if refused:
        raise review.forbidden(f'node "{node}" is not allowed to modify labels: {refused}')
    owners = ("metadata", "ownerReferences")
    if dig(new, *owners, default=[]) != dig(old, *owners, default=[]):
        raise review.forbidden(f'node "{node}" is not allowed to modify ownerReferences')


def _labels(obj: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = dig(obj, "metadata", "labels", default={})
    return labels


def forbidden_labels(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """The labels that differ and that a node must leave alone, sorted."""
    changed = (key for key in {*old, *new} if old.get(key) != new.get(key))
    return sorted(key for key in changed if _is_forbidden(key))


def _is_forbidden(label: str) -> bool:
    domain = label.rpartition("/")[0]
    if _is_within(domain, _RESTRICTED):
        return True
    if not any(_is_within(domain, one) for one in _KUBERNETES):
        return False
    return label not in _LABELS and not any(_is_within(domain, one) for one in _KUBELET)


def _is_within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")


async def _claim(plugin: Plugin, review: Review, node: str) -> None:
    del plugin
    if review.subresource != "status" or review.old is None:
        raise review.forbidden("may only update PVC status")
    old, new = (_without_capacity(obj) for obj in (review.old, review.obj))
    differing = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    if differing:
        raise review.forbidden(
            f'node "{node}" is not allowed to update fields other than status.quantity and '
            f"status.conditions: {', '.join(differing)}"
        )


def _without_capacity(claim: Object) -> Object:
    """The parts of a claim that are not a node's, by their paths."""
    status = claim.get("status") or {}
    kept = {f"status.{key}": value for key, value in status.items() if key not in _CAPACITY_FIELDS}
    metadata = {
        f"metadata.{key}": value
        for key, value in claim["metadata"].items()
        if key not in ("managedFields", "resourceVersion")
    }
    return {**kept, **metadata, "spec": claim.get("spec")}


async def _lease(plugin: Plugin, review: Review, node: str) -> None:
    del plugin
    if review.namespace != LEASE_NAMESPACE:
        text = f'can only access leases in the "{LEASE_NAMESPACE}" system namespace'
        raise review.forbidden(text)
    if review.name != node:
        text = "can only access node lease with the same name as the requesting node"
        raise review.forbidden(text)


async def _csi_node(plugin: Plugin, review: Review, node: str) -> None:
    del plugin
    if review.name != node:
        text = "can only access CSINode with the same name as the requesting node"
        raise review.forbidden(text)


async def _slice(plugin: Plugin, review: Review, node: str) -> None:
    del plugin
    if dig(review.obj, "spec", "nodeName", default="") == node:
        return
    if review.operation is not Operation.UPDATE:  # the graph lets it change its own only
        verb = review.operation.value.lower()
        text = f"can only {verb} ResourceSlice with the same NodeName as the requesting node"
        raise review.forbidden(text)


async def _signing_request(plugin: Plugin, review: Review, node: str) -> None:
    del plugin
    spec = review.obj.get("spec") or {}
    if review.operation is not Operation.CREATE or review.subresource:
        return
    if spec.get("signerName") not in _SIGNERS:
        return
    try:
        name = _common_name(str(spec.get("request") or ""))
    except ValueError as error:
        raise review.forbidden(f"unable to parse csr: {error}") from error
    if name != NODE_PREFIX + node:
        raise review.forbidden(f"can only create a node CSR with CN={NODE_PREFIX}{node}")


def _common_name(request: str) -> str:
    pem = base64.b64decode(request, validate=True)
    names = x509.load_pem_x509_csr(pem).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


RULES: Mapping[tuple[str, str], Rule] = {
    ("", "nodes"): _node,
    ("", "persistentvolumeclaims"): _claim,
    ("", "pods"): node_pods.check_pod,
    ("", "serviceaccounts"): node_pods.check_token,
    ("certificates.k8s.io", "certificatesigningrequests"): _signing_request,
    ("coordination.k8s.io", "leases"): _lease,
    ("resource.k8s.io", "resourceslices"): _slice,
    ("storage.k8s.io", "csinodes"): _csi_node,
}
