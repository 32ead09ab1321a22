"""The deployment controller: the order of one reconciliation.

A paused or freshly scaled Deployment only has its present ReplicaSets scaled; otherwise the rollout
goes one step on, and the next event (a ReplicaSet's status) brings the next one.
Source: kubernetes pkg/controller/deployment/deployment_controller.go, rolling.go, recreate.go.
"""

from collections.abc import Iterable

from control_plane.api.objects import (
    Object,
    controller_of,
    dig,
    is_terminating,
    key_of,
    labels_of,
    namespace_of,
    uid_of,
)
from control_plane.api.resources import DEPLOYMENTS, PODS, REPLICASETS, Resource
from control_plane.controllers.cluster import CONTROLLER_INDEX, Cluster, controller_index
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.deployment.history import plan_cleanup
from control_plane.controllers.deployment.progress import (
    counted_status,
    is_complete,
    paused_conditions,
    rollout_status,
    seconds_to_deadline,
)
from control_plane.controllers.deployment.rolling import old_pods_run, plan_new, plan_olds
from control_plane.controllers.deployment.rollout import Rollout
from control_plane.controllers.deployment.scaling import Scale, needs_scaling, plan_scaling
from control_plane.controllers.deployment.sizes import RECREATE, active, spec_replicas
from control_plane.controllers.ownership import Claimant, claim
from control_plane.controllers.replication.kinds import label_selector_of
from control_plane.controllers.runtime import DONE, Controller, Index, Result
from control_plane.controllers.sources import Change, For, Owns, Watches

SELECTS_ALL = "This deployment is selecting all pods. A non-empty selector is required."


def deployment(config: ControllersConfig) -> Controller:
    """Return the controller of Deployments."""
    return Controller(
        "deployment-controller",
        "deployment-controller",
        reconcile,
        sources=(
            For(DEPLOYMENTS),
            Owns(REPLICASETS, label_selector_of),
            Watches(PODS, recreate_waiting_for),
        ),
        indexes=(Index(PODS, CONTROLLER_INDEX, controller_index),),
        workers=config.concurrent_deployment_syncs,
        max_retries=15,
    )


def recreate_waiting_for(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the Recreate deployment whose last pod is gone with this change."""
    if change.event != "delete":
        return
    pod = change.latest
    replicaset = _controlling(cluster, REPLICASETS, pod)
    owner = replicaset and _controlling(cluster, DEPLOYMENTS, replicaset)
    if not owner or dig(owner, "spec", "strategy", "type") != RECREATE:
        return
    siblings = cluster.controlled_by(REPLICASETS, uid_of(owner))
    if not any(cluster.controlled_by(PODS, uid_of(sibling)) for sibling in siblings):
        yield key_of(owner)


def _controlling(cluster: Cluster, resource: Resource, obj: Object) -> Object | None:
    """Return the cached object of `resource` that controls `obj`."""
    reference = controller_of(obj)
    if reference is None or reference["kind"] != resource.kind:
        return None
    owner = cluster.get(resource, f"{namespace_of(obj)}/{reference['name']}")
    return owner if owner and uid_of(owner) == reference["uid"] else None


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Take one Deployment a step on and write its status."""
    found = cluster.get(DEPLOYMENTS, key)
    if found is None:
        return DONE
    if not dig(found, "spec", "selector"):
        return await _refuse_empty_selector(found, cluster)
    rollout = Rollout(cluster, found, await _claim_replicasets(found, cluster))
    if is_terminating(found):
        return await _write_counts(rollout)
    await _mark_paused(rollout)
    if dig(found, "spec", "paused", default=False):
        return await _scale_only(rollout)
    if needs_scaling(rollout.sizes, rollout.everyone):
        return await _scale_only(rollout)
    if dig(found, "spec", "strategy", "type") == RECREATE:
        return await _recreate(rollout)
    return await _roll(rollout)


async def _refuse_empty_selector(found: Object, cluster: Cluster) -> Result:
    cluster.events.record(found, "Warning", "SelectingAll", SELECTS_ALL)
    generation = found["metadata"].get("generation", 0)
    if dig(found, "status", "observedGeneration", default=0) < generation:
        status = (found.get("status") or {}) | {"observedGeneration": generation}
        await Rollout(cluster, found, []).write_status(status)
    return DONE


async def _claim_replicasets(found: Object, cluster: Cluster) -> list[Object]:
    selector = label_selector_of(found)

    def matches(replicaset: Object) -> bool:
        return selector is not None and bool(selector.matches(labels_of(replicaset)))

    candidates = cluster.claimable(REPLICASETS, found)
    return await claim(cluster, Claimant(found, DEPLOYMENTS, REPLICASETS), matches, candidates)


async def _mark_paused(rollout: Rollout) -> None:
    conditions = paused_conditions(rollout.deployment, rollout.cluster.now())
    if conditions is not None:
        status = (rollout.deployment.get("status") or {}) | {"conditions": conditions}
        await rollout.write_status(status)


async def _scale_only(rollout: Rollout) -> Result:
    """Scale what there is, without making a new ReplicaSet."""
    await rollout.ensure_new(create=False)
    await rollout.scale(plan_scaling(rollout.deployment, rollout.sizes, rollout.new, rollout.olds))
    if dig(rollout.deployment, "spec", "paused", default=False):
        await rollout.delete(plan_cleanup(rollout.deployment, rollout.olds))
    return await _write_counts(rollout)


async def _roll(rollout: Rollout) -> Result:
    """Grow the new ReplicaSet, or else shrink the old ones."""
    await rollout.ensure_new(create=True)
    new = rollout.new
    if new is None or await rollout.scale(plan_new(rollout.sizes, new, rollout.olds)):
        return await _write_progress(rollout)
    if await rollout.scale(plan_olds(rollout.sizes, new, rollout.olds)):
        return await _write_progress(rollout)
    return await _clean_up_and_report(rollout)


async def _recreate(rollout: Rollout) -> Result:
    """Empty the old ReplicaSets, wait for their pods to go, then start the new one."""
    await rollout.ensure_new(create=False)
    if await rollout.scale([Scale(old, 0) for old in active(rollout.olds)]):
        return await _write_progress(rollout)
    if old_pods_run(rollout.new, rollout.olds, _pods(rollout)):
        return await _write_progress(rollout)
    if rollout.new is None:
        await rollout.ensure_new(create=True)
    new = rollout.new
    if new is not None and spec_replicas(new) != rollout.sizes.replicas:
        await rollout.scale([Scale(new, rollout.sizes.replicas)])
    return await _clean_up_and_report(rollout)


def _pods(rollout: Rollout) -> list[tuple[str, Object]]:
    return [
        (uid_of(replicaset), pod)
        for replicaset in rollout.everyone
        for pod in rollout.cluster.controlled_by(PODS, uid_of(replicaset))
    ]


async def _clean_up_and_report(rollout: Rollout) -> Result:
    if is_complete(rollout.deployment, rollout.deployment.get("status") or {}):
        await rollout.delete(plan_cleanup(rollout.deployment, rollout.olds))
    return await _write_progress(rollout)


async def _write_progress(rollout: Rollout) -> Result:
    """Write the status; when nothing changed, come back at the progress deadline."""
    found, now = rollout.deployment, rollout.cluster.now()
    status = rollout_status(found, rollout.new, rollout.everyone, now)
    if status == found.get("status"):
        return Result(seconds_to_deadline(found, status, now))
    await rollout.write_status(status)
    return DONE


async def _write_counts(rollout: Rollout) -> Result:
    found = rollout.deployment
    status = counted_status(found, rollout.new, rollout.everyone, rollout.cluster.now())
    if status != found.get("status"):
        await rollout.write_status(status)
    return DONE
