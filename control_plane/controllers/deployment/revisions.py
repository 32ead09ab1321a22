"""Which ReplicaSet carries a Deployment's present template, and which revision it is. Pure.

The revision is an annotation on each ReplicaSet: the present one's is one more than the largest
of the others. When an older template comes back (rollout undo), its ReplicaSet takes the new
number and remembers the old one. Source: kubernetes
pkg/controller/deployment/util/deployment_util.go.
"""

from collections.abc import Iterable, Sequence

from control_plane.api.objects import (
    Object,
    annotations_of,
    deep_copy,
    dig,
    labels_of,
    name_of,
    namespace_of,
)
from control_plane.api.resources import DEPLOYMENTS, REPLICASETS
from control_plane.api.semantics import semantically_equal
from control_plane.controllers.deployment.sizes import Sizes, sizes_of
from control_plane.controllers.deployment.template_hash import pod_template_hash
from control_plane.controllers.ownership import owner_reference

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
HASH_LABEL = "pod-template-hash"
_HISTORY_CHARACTERS = 2000
_MAX_NAME = 253
_NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        REVISION_HISTORY,
        DESIRED_REPLICAS,
        MAX_REPLICAS,
    }
)


def by_age(replicasets: Iterable[Object]) -> list[Object]:
    """Return the ReplicaSets, oldest first, then by name."""
    return sorted(
        replicasets,
        key=lambda one: (dig(one, "metadata", "creationTimestamp", default=""), name_of(one)),
    )


def find_new(deployment: Object, replicasets: Iterable[Object]) -> Object | None:
    """Return the oldest ReplicaSet with the deployment's template, or None."""
    template = dig(deployment, "spec", "template")
    for replicaset in by_age(replicasets):
        if same_template(dig(replicaset, "spec", "template"), template):
            return replicaset
    return None


def same_template(one: Object, other: Object) -> bool:
    """Compare two pod templates, their pod-template-hash labels apart."""
    return semantically_equal(_without_hash(one), _without_hash(other))


def _without_hash(template: Object) -> Object:
    meta = template.get("metadata") or {}
    labels = {name: text for name, text in labels_of(template).items() if name != HASH_LABEL}
    return template | {"metadata": meta | {"labels": labels}}


def revision_of(obj: Object) -> int:
    """Return the revision annotation; 0 when it is absent or no number."""
    text = annotations_of(obj).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def next_revision(olds: Iterable[Object]) -> int:
    """Return the revision of the present template, given the ReplicaSets of the others."""
    return max(map(revision_of, olds), default=0) + 1


def size_annotations(sizes: Sizes) -> dict[str, str]:
    """Return the annotations that tell a ReplicaSet's share at its last scaling."""
    return {DESIRED_REPLICAS: str(sizes.replicas), MAX_REPLICAS: str(sizes.limit)}


def copied_annotations(deployment: Object) -> dict[str, str]:
    """Return the deployment's annotations that its ReplicaSets carry too."""
    every = annotations_of(deployment)
    return {name: text for name, text in every.items() if name not in _NOT_COPIED}


def synced(deployment: Object, new: Object, revision: int) -> Object:
    """Return the present ReplicaSet with annotations and minReadySeconds brought up to date."""
    changed = deep_copy(new)
    annotations = dict(annotations_of(new)) | copied_annotations(deployment)
    if revision_of(new) < revision:
        if revision_of(new):
            annotations[REVISION_HISTORY] = _lengthened_history(annotations)
        annotations[REVISION] = str(revision)
    changed["metadata"]["annotations"] = annotations
    wait = dig(deployment, "spec", "minReadySeconds", default=0)
    if wait != dig(new, "spec", "minReadySeconds", default=0):
        changed["spec"]["minReadySeconds"] = wait
    return changed


def _lengthened_history(annotations: dict[str, str]) -> str:
    """Append the former revision number, dropping the oldest ones that make it too long."""
    known = [number for number in annotations.get(REVISION_HISTORY, "").split(",") if number]
    known.append(annotations[REVISION])
    while len(known) > 1 and len(",".join(known)) > _HISTORY_CHARACTERS:
        known.pop(0)
    return ",".join(known)


def new_replicaset(deployment: Object, revision: int, replicas: int) -> Object:
    """Return the ReplicaSet to create for the deployment's template."""
    template = deep_copy(dig(deployment, "spec", "template"))
    suffix = pod_template_hash(template, dig(deployment, "status", "collisionCount"))
    hashed = {HASH_LABEL: suffix}
    template.setdefault("metadata", {})["labels"] = labels_of(template) | hashed
    return {
        "apiVersion": REPLICASETS.api_version,
        "kind": REPLICASETS.kind,
        "metadata": {
            "name": f"{name_of(deployment)[: _MAX_NAME - 1 - len(suffix)]}-{suffix}",
            "namespace": namespace_of(deployment),
            "labels": dict(template["metadata"]["labels"]),
            "annotations": copied_annotations(deployment)
            | size_annotations(sizes_of(deployment))
            | {REVISION: str(revision)},
            "ownerReferences": [owner_reference(deployment, DEPLOYMENTS)],
        },
        "spec": {
            "replicas": replicas,
            "minReadySeconds": dig(deployment, "spec", "minReadySeconds", default=0),
            "selector": _hashed_selector(dig(deployment, "spec", "selector"), hashed),
            "template": template,
        },
    }


def _hashed_selector(selector: Object, hashed: dict[str, str]) -> Object:
    copied = deep_copy(selector)
    return copied | {"matchLabels": (copied.get("matchLabels") or {}) | hashed}


def former_replicasets(replicasets: Sequence[Object], new: Object | None) -> list[Object]:
    """Return all but the present one."""
    name = name_of(new) if new else ""
    return [replicaset for replicaset in replicasets if name_of(replicaset) != name]
