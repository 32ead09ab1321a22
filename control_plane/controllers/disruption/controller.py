"""The disruption controller's acting half: writes the status of PodDisruptionBudgets.

Keys are "namespace/name" of budgets, and "pod/namespace/name" of pods whose condition may become
stale. Source: kubernetes pkg/controller/disruption/disruption.go.
"""

from collections.abc import Iterable
from datetime import datetime

from control_plane.api import label_selector
from control_plane.api.disruption_budgets import selects
from control_plane.api.errors import ApiError, Conflict, NotFound
from control_plane.api.objects import Object, dig, key_of, name_of, namespace_of
from control_plane.api.resources import (
    DEPLOYMENTS,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    STATEFULSETS,
)
from control_plane.controllers.cluster import Cluster, ReconcileError
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.disruption.counting import (
    counted,
    disrupted_pods,
    failed_safe,
    needs_scale,
)
from control_plane.controllers.disruption.scales import expected_pods
from control_plane.controllers.disruption.stale_target import stale_at, without_target
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import Change, For, Watches

POD_KEY = "pod/"


def disruption(config: ControllersConfig) -> Controller:
    """Return the controller of PodDisruptionBudgets."""
    del config
    return Controller(
        "disruption-controller",
        "controllermanager",
        reconcile,
        sources=(For(PODDISRUPTIONBUDGETS), Watches(PODS, keys_concerned)),
        reads=(DEPLOYMENTS, REPLICASETS, REPLICATIONCONTROLLERS, STATEFULSETS),
        workers=1,
    )


def keys_concerned(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the budgets that a changed pod was or is in, and the pod if its condition can age."""
    budgets = cluster.list(PODDISRUPTIONBUDGETS, namespace_of(change.latest))
    now_in = [budget for budget in budgets if change.new and selects(budget, change.new)]
    if len(now_in) > 1:
        _report_several(cluster, change.latest, now_in[0])
    before = [budget for budget in budgets if change.old and selects(budget, change.old)]
    yield from {key_of(budget) for budget in (*now_in, *before)}
    if change.new and stale_at(change.new) is not None:
        yield POD_KEY + key_of(change.new)


def _report_several(cluster: Cluster, pod: Object, chosen: Object) -> None:
    text = (
        f'Pod "{namespace_of(pod)}"/"{name_of(pod)}" matches multiple PodDisruptionBudgets.  '
        f'Chose "{name_of(chosen)}" arbitrarily.'
    )
    cluster.events.record(pod, "Warning", "MultiplePodDisruptionBudgets", text)


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Bring a budget's status up to date, or take a pod's stale condition back."""
    if key.startswith(POD_KEY):
        return await _clean(key.removeprefix(POD_KEY), cluster)
    budget = cluster.get(PODDISRUPTIONBUDGETS, key)
    if budget is None:
        return DONE
    try:
        return await _sync(budget, cluster)
    except Conflict:
        raise
    except (ReconcileError, ApiError) as error:
        safe = failed_safe(budget, _text(error), cluster.now())
        if safe["status"] != budget.get("status"):
            await _write(cluster, safe)
        raise


def _text(error: ReconcileError | ApiError) -> str:
    return error.message if isinstance(error, ApiError) else str(error)


async def _sync(budget: Object, cluster: Cluster) -> Result:
    pods = [pod for pod in cluster.list(PODS, namespace_of(budget)) if selects(budget, pod)]
    if not pods:
        cluster.events.record(budget, "Normal", "NoPods", "No matching pods found")
    expected = await _expected(budget, pods, cluster)
    now = cluster.now()
    disrupted = disrupted_pods(budget, pods, now)
    for pod in disrupted.failed:
        namespace = namespace_of(budget)
        text = f"Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
        cluster.events.record(pod, "Warning", "NotDeleted", text)
    changed = counted(budget, pods, expected, disrupted, now)
    if changed is not None:
        await _write(cluster, changed)
    return _again(disrupted.recheck_at, now)


async def _expected(budget: Object, pods: list[Object], cluster: Cluster) -> int:
    """Return how many pods there should be; a number that must stay asks nobody."""
    if not needs_scale(budget):
        return len(pods) if dig(budget, "spec", "minAvailable") is not None else 0
    try:
        expectation = await expected_pods(cluster, pods)
    except (ReconcileError, ApiError) as error:
        text = f"Failed to calculate the number of expected pods: {_text(error)}"
        cluster.events.record(budget, "Warning", "CalculateExpectedPodCountFailed", text)
        raise
    if expectation.unmanaged:
        cluster.events.record(budget, "Warning", "UnmanagedPods", _unmanaged_text(budget))
    return expectation.count


def _unmanaged_text(budget: Object) -> str:
    selector = label_selector.from_object(dig(budget, "spec", "selector"))
    return (
        f"Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be "
        "unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may "
        "result in undefined behavior. To account for these pods please set "
        '".spec.minAvailable" field of the PDB to an integer value.'
    )


async def _write(cluster: Cluster, budget: Object) -> None:
    """Write the status, unless the budget has changed since it was read."""
    try:
        await cluster.client.update(PODDISRUPTIONBUDGETS, budget, subresource="status")
    except NotFound:
        return


async def _clean(key: str, cluster: Cluster) -> Result:
    pod = cluster.get(PODS, key)
    due = stale_at(pod) if pod is not None else None
    if pod is None or due is None:
        return DONE
    now = cluster.now()
    if due > now:
        return _again(due, now)
    try:
        await cluster.client.update(PODS, without_target(pod, now), subresource="status")
    except NotFound:
        return DONE
    return DONE


def _again(when: datetime | None, now: datetime) -> Result:
    return DONE if when is None else Result(max(0.0, (when - now).total_seconds()))
