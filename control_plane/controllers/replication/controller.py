"""The acting half of ReplicaSets and ReplicationControllers: claim pods, create, delete, report.

`replicaset` and `replicationcontroller` are the two rows of CONTROLLERS.
Source: kubernetes pkg/controller/replicaset/replica_set.go.
"""

from collections.abc import Mapping
from functools import partial

from control_plane.api.errors import Conflict
from control_plane.api.objects import (
    Object,
    controller_of,
    deep_copy,
    is_terminating,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from control_plane.api.resources import PODS
from control_plane.controllers.cluster import Cluster, ReconcileError
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.ownership import Claimant, claim
from control_plane.controllers.pod_control import create_pods, delete_pods
from control_plane.controllers.pod_state import is_active, is_ending
from control_plane.controllers.replication.kinds import (
    REPLICASET,
    REPLICATIONCONTROLLER,
    ReplicationKind,
)
from control_plane.controllers.replication.plan import plan
from control_plane.controllers.replication.ranking import crowding
from control_plane.controllers.replication.status import (
    Observed,
    seconds_to_next_available,
    status_of,
)
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import For, Owns


def replicaset(config: ControllersConfig) -> Controller:
    """Return the controller of ReplicaSets."""
    return _controller("replicaset-controller", REPLICASET, config.concurrent_replicaset_syncs)


def replicationcontroller(config: ControllersConfig) -> Controller:
    """Return the controller of ReplicationControllers."""
    return _controller(
        "replicationcontroller-controller", REPLICATIONCONTROLLER, config.concurrent_rc_syncs
    )


def _controller(name: str, kind: ReplicationKind, workers: int) -> Controller:
    return Controller(
        name,
        kind.component,
        partial(reconcile, kind),
        sources=(For(kind.resource), Owns(PODS, kind.selector_of)),
        workers=workers,
    )


async def reconcile(kind: ReplicationKind, key: str, cluster: Cluster) -> Result:
    """Bring the pods of one owner to their number, and its status up to date.

    Nothing is created or deleted while the cache lags behind what was asked for before; the status
    is written even then, and when creating or deleting failed.
    """
    owner = cluster.get(kind.resource, key)
    if owner is None:
        return DONE
    may_act = cluster.expectations.satisfied(uid_of(owner)) and not is_terminating(owner)
    candidates = cluster.claimable(PODS, owner)
    pods = await _claim_pods(kind, owner, candidates, cluster)
    failure = await _manage(kind, owner, pods, cluster) if may_act else ""
    observed = Observed(pods, _count_terminating(kind, owner, candidates), failure)
    await _write_status(kind, owner, observed, cluster)
    if failure:
        raise ReconcileError(failure)
    return Result(seconds_to_next_available(owner, pods, cluster.now()))


async def _claim_pods(
    kind: ReplicationKind, owner: Object, candidates: list[Object], cluster: Cluster
) -> list[Object]:
    selector = kind.selector_of(owner)
    active = [pod for pod in candidates if is_active(pod)]

    def matches(pod: Object) -> bool:
        return selector is not None and bool(selector.matches(labels_of(pod)))

    return await claim(cluster, Claimant(owner, kind.resource, PODS), matches, active)


async def _manage(
    kind: ReplicationKind, owner: Object, pods: list[Object], cluster: Cluster
) -> str:
    """Create or delete what the plan says; returns why that failed, "" if it did not."""
    decided = plan(owner, pods, _crowding(kind, owner, pods, cluster), cluster.now())
    try:
        if decided.create:
            template = owner["spec"]["template"]
            await create_pods(cluster, owner, kind.resource, template, decided.create)
        elif decided.delete:
            await delete_pods(cluster, owner, decided.delete)
    except ReconcileError as error:
        return str(error)
    return ""


def _crowding(
    kind: ReplicationKind, owner: Object, pods: list[Object], cluster: Cluster
) -> Mapping[str, int]:
    """Count by node the active pods of all owners that share this owner's own owner."""
    reference = controller_of(owner)
    if reference is None:
        return crowding(pods)
    siblings = cluster.controlled_by(kind.resource, reference["uid"])
    related = [pod for one in siblings for pod in cluster.controlled_by(PODS, uid_of(one))]
    return crowding(filter(is_active, related))


def _count_terminating(
    kind: ReplicationKind, owner: Object, candidates: list[Object]
) -> int | None:
    if not kind.counts_terminating:
        return None
    own = [pod for pod in candidates if (controller_of(pod) or {}).get("uid") == uid_of(owner)]
    return sum(map(is_ending, own))


async def _write_status(
    kind: ReplicationKind, owner: Object, observed: Observed, cluster: Cluster
) -> None:
    """Write the status if it changed; after a conflict once more, over the live object."""
    try:
        await _put_status(kind, owner, observed, cluster)
    except Conflict:
        fresh = await cluster.client.get(kind.resource, name_of(owner), namespace_of(owner))
        if uid_of(fresh) == uid_of(owner):
            await _put_status(kind, fresh, observed, cluster)


async def _put_status(
    kind: ReplicationKind, owner: Object, observed: Observed, cluster: Cluster
) -> None:
    status = status_of(owner, observed, cluster.now())
    if status == owner.get("status"):
        return
    changed = deep_copy(owner)
    changed["status"] = status
    await cluster.client.update(kind.resource, changed, subresource="status")
