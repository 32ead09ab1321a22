"""What a node may do to pods, and for which of them it gets tokens.

Called by `node_restriction`. Source: the admission plugin NodeRestriction of Kubernetes v1.35.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object, annotations_of, dig, uid_of
from control_plane.api.pod_references import config_map_names, secret_names, volumes
from control_plane.api.resources import CSIDRIVERS, NODES, PODS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.node.graph import MIRROR_ANNOTATION
from control_plane.apiserver.auth.rules import Attributes

_FIXED_STATUS = ("resourceClaimStatuses", "extendedResourceClaimStatus")
_AUDIENCE_VERB = "request-serviceaccounts-token-audience"
# volumes whose use refers to another object, and what a refusal calls that
_REFERRING_VOLUMES: Mapping[str, str] = {
    "azureFile": "secrets (via azureFile volumes)",
    "configMap": "configmaps (via configmap volumes)",
    "csi": "csidrivers (via CSI volumes)",
    "ephemeral": "persistentvolumeclaims (via ephemeral volumes)",
    "glusterfs": "endpoints (via glusterFS volumes)",
    "persistentVolumeClaim": "persistentvolumeclaims",
    "secret": "secrets (via secret volumes)",
}
_REFERRING_SOURCES: Mapping[str, str] = {
    "clusterTrustBundle": "clustertrustbundles (via projected volumes)",
    "configMap": "configmaps (via projected volumes)",
    "podCertificate": "podcertificates (via projected volumes)",
    "secret": "secrets (via projected volumes)",
    "serviceAccountToken": "serviceaccounts (via projected volumes)",
}


async def check_pod(plugin: Plugin, review: Review, node: str) -> None:
    """A write of a pod, or of one of its subresources."""
    checks: Mapping[str, Callable[[Plugin, Review, str], Awaitable[None]]] = {
        "": _check_whole,
        "status": _check_status,
        "eviction": _check_eviction,
    }
    check = checks.get(review.subresource)
    if check is None:
        raise review.forbidden(
            f'unexpected pod subresource "{review.subresource}", '
            "only 'status' and 'eviction' are allowed"
        )
    await check(plugin, review, node)


async def _check_whole(plugin: Plugin, review: Review, node: str) -> None:
    if review.operation is Operation.CREATE:
        _check_mirror(review, node)
        await _check_owner(plugin, review, node)
        for what in references(review.obj):
            raise review.forbidden(f'node "{node}" can not create pods that reference {what}')
    elif review.operation is Operation.DELETE:
        if _node_of(review.obj) != node:
            text = f'node "{node}" can only delete pods with spec.nodeName set to itself'
            raise review.forbidden(text)
    else:
        raise review.forbidden(
            f'unexpected operation "{review.operation.value}", '
            f'node "{node}" can only create and delete mirror pods'
        )


def _check_mirror(review: Review, node: str) -> None:
    if MIRROR_ANNOTATION not in annotations_of(review.obj):
        raise review.forbidden(
            f'pod does not have "{MIRROR_ANNOTATION}" annotation, '
            f'node "{node}" can only create mirror pods'
        )
    if _node_of(review.obj) != node:
        text = f'node "{node}" can only create pods with spec.nodeName set to itself'
        raise review.forbidden(text)


async def _check_owner(plugin: Plugin, review: Review, node: str) -> None:
    owners = dig(review.obj, "metadata", "ownerReferences", default=[])
    objection = _objection_to(owners, node)
    if objection:
        raise review.forbidden(f'node "{node}" {objection}')
    found = await plugin.collections.find(NODES, "", node)
    if found is None:
        raise NotFound.of(NODES, node)
    if owners[0].get("uid") != uid_of(found):
        raise review.forbidden(
            f"node {node} UID mismatch: expected {owners[0].get('uid')} got {uid_of(found)}"
        )


def _objection_to(owners: Sequence[Object], node: str) -> str:
    if len(owners) > 1:
        return "can only create pods with a single owner reference set to itself"
    owner = owners[0] if owners else {}
    if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", node):
        return "can only create pods with an owner reference set to itself"
    if not owner.get("controller"):
        return "can only create pods with a controller owner reference set to itself"
    if owner.get("blockOwnerDeletion"):
        return "must not set blockOwnerDeletion on an owner reference"
    return ""


def references(pod: Object) -> Iterator[str]:
    """Yield what other objects the pod refers to, as a refusal calls them."""
    spec = pod.get("spec") or {}
    if spec.get("serviceAccountName"):
        yield "serviceaccounts"
    if any(secret_names(pod)):
        yield "secrets"
    if any(config_map_names(pod)):
        yield "configmaps"
    if spec.get("resourceClaims"):
        yield "resourceclaims"
    for volume in volumes(pod):
        yield from (text for kind, text in _REFERRING_VOLUMES.items() if volume.get(kind))
        for source in dig(volume, "projected", "sources", default=[]):
            yield from (text for kind, text in _REFERRING_SOURCES.items() if source.get(kind))


async def _check_status(plugin: Plugin, review: Review, node: str) -> None:
    del plugin
    old = review.old or {}
    if _node_of(old) != node:
        raise review.forbidden(
            f'node "{node}" can only update pod status for pods with spec.nodeName set to itself'
        )
    labels = ("metadata", "labels")
    if dig(old, *labels, default={}) != dig(review.obj, *labels, default={}):
        raise review.forbidden(f'node "{node}" cannot update labels through pod status')
    before, after = old.get("status") or {}, review.obj.get("status") or {}
    if any(before.get(field) != after.get(field) for field in _FIXED_STATUS):
        raise review.forbidden(f'node "{node}" cannot update resource claim statues')


async def _check_eviction(plugin: Plugin, review: Review, node: str) -> None:
    name = review.name
    pod = await plugin.collections.find(PODS, review.namespace, name)
    if pod is None:
        raise NotFound.of(PODS, name)
    if _node_of(pod) != node:
        text = f"node {node} can only evict pods with spec.nodeName set to itself"
        raise review.forbidden(text)


def _node_of(pod: Object) -> str:
    return str(dig(pod, "spec", "nodeName", default=""))


async def check_token(plugin: Plugin, review: Review, node: str) -> None:
    """A token for a pod of the node, and for an audience that the pod names."""
    if review.operation is not Operation.CREATE or review.subresource != "token":
        return
    reference = dig(review.obj, "spec", "boundObjectRef", default={})
    kind = (reference.get("apiVersion"), reference.get("kind"))
    if kind != ("v1", "Pod") or not reference.get("name"):
        raise review.forbidden("node requested token not bound to a pod")
    if not reference.get("uid"):
        raise review.forbidden("node requested token with a pod binding without a uid")
    pod = await plugin.collections.find(PODS, review.namespace, reference["name"])
    if pod is None:
        raise NotFound.of(PODS, reference["name"])
    if uid_of(pod) != reference["uid"]:
        raise review.forbidden(
            f"the UID in the bound object reference ({reference['uid']}) does not match the UID "
            "in record. The object might have been deleted and then recreated"
        )
    if _node_of(pod) != node:
        text = "node requested token bound to a pod scheduled on a different node"
        raise review.forbidden(text)
    await _check_audience(plugin, review, pod)


async def _check_audience(plugin: Plugin, review: Review, pod: Object) -> None:
    audiences = dig(review.obj, "spec", "audiences", default=[])
    if len(audiences) > 1:
        raise review.forbidden("node may only request 0 or 1 audiences")
    audience = audiences[0] if audiences else ""
    if audience in [found async for found in _audiences_of(plugin, pod)]:
        return
    user = review.call.user
    asked = Attributes(
        _AUDIENCE_VERB,
        resource=audience,
        namespace=review.namespace,
        name=review.name,
    )
    if not audience or not plugin.authorizer.decide(user, asked).allowed:
        raise review.forbidden(
            f'audience "{audience}" not found in pod spec volume, {user.name} is not authorized '
            "to request tokens for this audience"
        )


async def _audiences_of(plugin: Plugin, pod: Object) -> AsyncIterator[str]:
    for volume in volumes(pod):
        for source in dig(volume, "projected", "sources", default=[]):
            if source.get("serviceAccountToken") is not None:
                yield source["serviceAccountToken"].get("audience") or ""
        driver = dig(volume, "csi", "driver", default="")
        found = await plugin.collections.find(CSIDRIVERS, "", driver) if driver else None
        for wanted in dig(found or {}, "spec", "tokenRequests", default=[]):
            yield wanted.get("audience") or ""
