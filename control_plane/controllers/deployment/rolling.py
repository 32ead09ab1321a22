"""What size each ReplicaSet gets next during a rollout. Pure.

Rolling: the new one grows as far as the surge allows; the old ones shrink as far as availability
allows, pods that are not available first. Recreate: the old ones go to 0, and only when all their
pods are gone does the new one start. Source: kubernetes pkg/controller/deployment/rolling.go,
recreate.go, util NewRSNewReplicas.
"""

from collections.abc import Iterable, Sequence

from control_plane.api.objects import Object, uid_of
from control_plane.controllers.deployment.revisions import by_age
from control_plane.controllers.deployment.scaling import Scale
from control_plane.controllers.deployment.sizes import (
    Sizes,
    active,
    available,
    spec_replicas,
    total,
)
from control_plane.controllers.pod_state import is_terminal


def new_size(sizes: Sizes, new_replicas: int, everyone: Iterable[Object]) -> int:
    """Return the size that the new ReplicaSet may grow to, given all of them."""
    room = sizes.limit - total(everyone, "spec", "replicas")
    if room <= 0:
        return new_replicas
    return new_replicas + min(room, sizes.replicas - new_replicas)


def plan_new(sizes: Sizes, new: Object, olds: Sequence[Object]) -> list[Scale]:
    """Return the next step of the new ReplicaSet; empty when it has none."""
    size = spec_replicas(new)
    if size == sizes.replicas:
        return []
    target = sizes.replicas if size > sizes.replicas else new_size(sizes, size, [*olds, new])
    return [Scale(new, target)] if target != size else []


def plan_olds(sizes: Sizes, new: Object, olds: Sequence[Object]) -> list[Scale]:
    """Return the next step of the old ReplicaSets; empty when they have to wait."""
    shrinking = by_age(active(olds))
    new_unavailable = spec_replicas(new) - available(new)
    every_pod = total([*olds, new], "spec", "replicas")
    budget = every_pod - sizes.min_available - new_unavailable
    if not shrinking or budget <= 0:
        return []
    targets = _without_unhealthy(shrinking, budget)
    spare = total([*olds, new], "status", "availableReplicas") - sizes.min_available
    targets = _without_healthy(targets, spare)
    return [
        Scale(old, target)
        for old, target in zip(shrinking, targets, strict=True)
        if target != spec_replicas(old)
    ]


def _without_unhealthy(olds: Sequence[Object], budget: int) -> list[int]:
    """Take the pods that are not available away, oldest ReplicaSet first, `budget` in all."""
    targets = []
    for old in olds:
        taken = min(budget, max(0, spec_replicas(old) - available(old)))
        budget -= taken
        targets.append(spec_replicas(old) - taken)
    return targets


def _without_healthy(sizes: Sequence[int], spare: int) -> list[int]:
    """Take `spare` more pods away, oldest ReplicaSet first."""
    targets = []
    for size in sizes:
        taken = min(size, max(0, spare))
        spare -= taken
        targets.append(size - taken)
    return targets


def old_pods_run(
    new: Object | None, olds: Iterable[Object], pods: Iterable[tuple[str, Object]]
) -> bool:
    """Whether Recreate has to wait; `pods` are (uid of the owning ReplicaSet, pod)."""
    if total(olds, "status", "replicas") > 0:
        return True
    new_uid = uid_of(new) if new else ""
    return any(uid != new_uid and not is_terminal(pod) for uid, pod in pods)
