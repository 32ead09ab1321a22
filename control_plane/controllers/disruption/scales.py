"""How many pods the controllers of some pods want altogether.

The built-in controllers are read from caches, any other by its scale subresource. Source:
kubernetes pkg/controller/disruption/disruption.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from control_plane.api.errors import NotFound
from control_plane.api.objects import (
    Object,
    controller_of,
    dig,
    name_of,
    namespace_of,
    uid_of,
)
from control_plane.api.resources import (
    DEPLOYMENTS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    STATEFULSETS,
    Resource,
)
from control_plane.controllers.cluster import Cluster, ReconcileError

CACHED: dict[str, tuple[Resource, tuple[str, ...]]] = {
    # by kind: where the controller is, and the groups under which it may be called so
    "ReplicationController": (REPLICATIONCONTROLLERS, ("",)),
    "ReplicaSet": (REPLICASETS, ("apps", "extensions")),
    "StatefulSet": (STATEFULSETS, ("apps",)),
}
_DEPLOYMENT_GROUPS = ("apps", "extensions")


@dataclass(frozen=True, slots=True)
class Expectation:
    """How many pods are wanted, and the names of pods that nobody wants."""

    count: int
    unmanaged: tuple[str, ...] = ()


async def expected_pods(cluster: Cluster, pods: Sequence[Object]) -> Expectation:
    """Add up what the distinct controllers of the pods want.

    Raises ReconcileError for a controller that is not there or does not say.
    """
    counts: dict[str, int] = {}
    answered: set[str] = set()
    unmanaged = []
    for pod in pods:
        reference = controller_of(pod)
        if reference is None:
            unmanaged.append(name_of(pod))
        elif reference["uid"] not in answered:
            uid, count = await _wanted_by(cluster, reference, pod)
            counts[uid] = count
            answered.add(reference["uid"])
    return Expectation(sum(counts.values()), tuple(unmanaged))


async def _wanted_by(cluster: Cluster, reference: Object, pod: Object) -> tuple[str, int]:
    """Return the uid and the number of whoever decides: for a ReplicaSet maybe its Deployment."""
    namespace = namespace_of(pod)
    row = CACHED.get(reference["kind"])
    if row is not None and _group_of(reference) in row[1]:
        found = _cached(cluster, row[0], reference, namespace)
        if found is not None:
            return uid_of(found), int(dig(found, "spec", "replicas", default=1))
    else:
        scale = await _live_scale(cluster, reference, namespace)
        if scale is not None:
            return scale
    raise ReconcileError(f'found no controllers for pod "{name_of(pod)}"')


def _cached(
    cluster: Cluster, resource: Resource, reference: Object, namespace: str
) -> Object | None:
    found = cluster.get(resource, f"{namespace}/{reference['name']}")
    if found is None or uid_of(found) != reference["uid"]:
        return None
    owner = controller_of(found)
    if resource is not REPLICASETS or owner is None or owner["kind"] != DEPLOYMENTS.kind:
        return found
    if _group_of(owner) not in _DEPLOYMENT_GROUPS:
        return None
    return _cached(cluster, DEPLOYMENTS, owner, namespace)


def _group_of(reference: Object) -> str:
    return str(reference["apiVersion"]).rpartition("/")[0]


async def _live_scale(
    cluster: Cluster, reference: Object, namespace: str
) -> tuple[str, int] | None:
    """Ask the server for the scale of a controller of any kind; None when it is another or gone."""
    version, kind = reference["apiVersion"], reference["kind"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    plural = await _scalable(cluster, root, version, kind)
    path = f"{root}/namespaces/{namespace}/{plural}/{reference['name']}/scale"
    try:
        scale = await cluster.client.request("GET", path)
    except NotFound:
        return None
    if uid_of(scale) != reference["uid"]:
        return None
    return uid_of(scale), int(dig(scale, "spec", "replicas", default=0))


async def _scalable(cluster: Cluster, root: str, version: str, kind: str) -> str:
    """Return the plural of a kind; raises ReconcileError if it is unknown or has no scale."""
    try:
        document = await cluster.client.request("GET", root)
    except NotFound:
        document = {}
    names: list[str] = [row["name"] for row in document.get("resources", ()) if row["kind"] == kind]
    plural = next((name for name in names if "/" not in name), None)
    if plural is None:
        raise ReconcileError(f'no matches for kind "{kind}" in version "{version}"')
    if not any(row["name"] == f"{plural}/scale" for row in document["resources"]):
        group = version.rpartition("/")[0]
        shown = f"{plural}.{group}" if group else plural
        raise ReconcileError(f"{shown} does not implement the scale subresource")
    return plural
