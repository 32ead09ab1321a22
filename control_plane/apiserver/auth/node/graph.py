"""What is related to a node through its pods, kept so that a question is a look-up or two. Pure.

    node ◄ pod ◄ secret, config map, claim, service account, resource claim
                 claim ◄ volume ◄ secret of the volume
    node ◄ volume attachment, resource slice

A mirror pod is its node's, but what it refers to is not: a node could write itself any. Source: the
graph of the node authorizer, Kubernetes v1.35.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from control_plane.api.objects import Object, annotations_of, dig
from control_plane.api.pod_references import (
    claim_names,
    config_map_names,
    resource_claim_names,
    secret_names,
)

Vertex = tuple[str, str, str]  # a plural, a namespace and a name
Place = tuple[str, str]
MIRROR_ANNOTATION = "kubernetes.io/config.mirror"
_VOLUME_SECRETS = ("azureFile", "cephfs", "cinder", "flexVolume", "iscsi", "rbd", "scaleIO")
_CSI_SECRETS = ("nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef")


class NodeGraph:
    """The relations of all nodes."""

    def __init__(self) -> None:
        """Start with none."""
        self._owned: dict[Vertex, tuple[str, tuple[Vertex, ...]]] = {}
        self._nodes: dict[Vertex, Counter[str]] = {}
        self._claims: dict[str, Vertex] = {}  # of volumes
        self._secrets: dict[str, frozenset[Vertex]] = {}  # of volumes
        self._volumes: dict[Vertex, set[str]] = {}  # of secrets

    def is_related(self, node: str, vertex: Vertex) -> bool:
        """Whether a path leads from the object to the node."""
        if self._counts(vertex, node):
            return True
        if vertex[0] == "persistentvolumes":
            return self._is_claimed(node, vertex[2])
        return any(self._is_claimed(node, volume) for volume in self._volumes.get(vertex, ()))

    def set_pod(self, place: Place, pod: Object | None) -> None:
        """Take a pod's new state in; None: it is gone, or on no node."""
        node = dig(pod, "spec", "nodeName", default="") if pod is not None else ""
        if pod is None or not node:
            self._set_owner(("pods", *place), "", ())
        elif MIRROR_ANNOTATION in annotations_of(pod):
            self._set_owner(("pods", *place), node, ())
        else:
            self._set_owner(("pods", *place), node, _references(place[0], pod))

    def set_on_node(self, vertex: Vertex, obj: Object | None) -> None:
        """Take an object's new state in that says its node at spec.nodeName."""
        node = dig(obj, "spec", "nodeName", default="") if obj is not None else ""
        self._set_owner(vertex, node or "", ())

    def set_volume(self, name: str, volume: Object | None) -> None:
        """Take a persistent volume's new state in; None: it is gone."""
        self._claims.pop(name, None)
        for secret in self._secrets.pop(name, ()):
            users = self._volumes[secret]
            users.discard(name)
            if not users:
                del self._volumes[secret]
        claim = dig(volume, "spec", "claimRef", default=None) if volume is not None else None
        if volume is None or not claim:
            return
        place = (claim.get("namespace") or "", claim.get("name") or "")
        self._claims[name] = ("persistentvolumeclaims", *place)
        self._secrets[name] = frozenset(_volume_secrets(volume, place[0]))
        for secret in self._secrets[name]:
            self._volumes.setdefault(secret, set()).add(name)

    def _is_claimed(self, node: str, volume: str) -> bool:
        claim = self._claims.get(volume)
        return claim is not None and self._counts(claim, node)

    def _counts(self, vertex: Vertex, node: str) -> bool:
        nodes = self._nodes.get(vertex)
        return nodes is not None and node in nodes

    def _set_owner(self, vertex: Vertex, node: str, references: Iterable[Vertex]) -> None:
        old_node, old = self._owned.pop(vertex, ("", ()))
        for gone in old:
            nodes = self._nodes[gone]
            nodes[old_node] -= 1
            if not nodes[old_node]:
                del nodes[old_node]
            if not nodes:
                del self._nodes[gone]
        if node:
            new = tuple({vertex, *references})
            self._owned[vertex] = (node, new)
            for related in new:
                self._nodes.setdefault(related, Counter())[node] += 1


def _references(namespace: str, pod: Object) -> Iterator[Vertex]:
    account = dig(pod, "spec", "serviceAccountName", default="")
    if account:
        yield ("serviceaccounts", namespace, account)
    for plural, names in (
        ("secrets", secret_names),
        ("configmaps", config_map_names),
        ("persistentvolumeclaims", claim_names),
        ("resourceclaims", resource_claim_names),
    ):
        for name in names(pod):
            yield (plural, namespace, name)


def _volume_secrets(volume: Object, namespace: str) -> Iterator[Vertex]:
    """The secrets that a node needs to use a volume; those of the controller are not for nodes."""
    spec = volume.get("spec") or {}
    references = [dig(spec, "csi", field, default=None) for field in _CSI_SECRETS]
    references += [dig(spec, source, "secretRef", default=None) for source in _VOLUME_SECRETS]
    azure = spec.get("azureFile") or {}
    if azure.get("secretName"):
        place = {"name": azure["secretName"], "namespace": azure.get("secretNamespace")}
        references.append(place)
    for reference in references:
        if reference and reference.get("name"):
            yield ("secrets", reference.get("namespace") or namespace, reference["name"])
