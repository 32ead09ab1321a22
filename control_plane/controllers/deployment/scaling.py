"""What size each ReplicaSet gets when a Deployment is scaled outside a rollout, or paused. Pure.

With several active ReplicaSets each grows or shrinks in proportion to its size, so that a scaling
in the middle of a rollout does not change how far the rollout is. What rounding leaves over goes
to the first one. Source: kubernetes pkg/controller/deployment/sync.go (scale), util
GetReplicaSetProportion.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from control_plane.api.objects import Object, annotations_of, dig
from control_plane.controllers.deployment.revisions import DESIRED_REPLICAS, MAX_REPLICAS, by_age
from control_plane.controllers.deployment.sizes import (
    RECREATE,
    Sizes,
    active,
    available,
    spec_replicas,
    total,
)


@dataclass(frozen=True, slots=True)
class Scale:
    """A ReplicaSet and the size it is to have; the size may be the one it has."""

    replicaset: Object
    replicas: int

    @property
    def changes_size(self) -> bool:
        """Whether pods will come or go."""
        return spec_replicas(self.replicaset) != self.replicas


def needs_scaling(sizes: Sizes, replicasets: Sequence[Object]) -> bool:
    """Whether an active ReplicaSet was last scaled for another number of replicas."""
    wanted = str(sizes.replicas)
    return any(
        annotations_of(one).get(DESIRED_REPLICAS, wanted) != wanted for one in active(replicasets)
    )


def plan_scaling(
    deployment: Object, sizes: Sizes, new: Object | None, olds: Sequence[Object]
) -> list[Scale]:
    """Return the ReplicaSets to scale, and to what."""
    only = _only_candidate(new, olds)
    if only is not None:
        return [Scale(only, sizes.replicas)] if spec_replicas(only) != sizes.replicas else []
    if new is not None and _is_saturated(sizes, new):
        return [Scale(old, 0) for old in active(olds)]
    if dig(deployment, "spec", "strategy", "type") == RECREATE:
        return []
    everyone = active([*olds, *([new] if new else [])])
    return _proportional(deployment, sizes, everyone)


def _only_candidate(new: Object | None, olds: Sequence[Object]) -> Object | None:
    """Return the one active ReplicaSet; with none active the new or the newest; else None."""
    running = active([*olds, *([new] if new else [])])
    if len(running) == 1:
        return running[0]
    if running:
        return None
    if new is not None:
        return new
    return by_age(olds)[-1] if olds else None


def _is_saturated(sizes: Sizes, new: Object) -> bool:
    desired = annotations_of(new).get(DESIRED_REPLICAS)
    return (
        spec_replicas(new) == sizes.replicas
        and desired == str(sizes.replicas)
        and available(new) == sizes.replicas
    )


def _proportional(deployment: Object, sizes: Sizes, running: Sequence[Object]) -> list[Scale]:
    allowed = sizes.limit if sizes.replicas > 0 else 0
    to_add = allowed - total(running, "spec", "replicas")
    ordered = _by_size(running, newer_first=to_add > 0)
    added, targets = 0, []
    for replicaset in ordered:
        share = _share(deployment, sizes, replicaset, to_add - added)
        targets.append(spec_replicas(replicaset) + share)
        added += share
    if targets:
        targets[0] = max(0, targets[0] + to_add - added)
    return [Scale(one, max(0, size)) for one, size in zip(ordered, targets, strict=True)]


def _by_size(running: Sequence[Object], *, newer_first: bool) -> list[Object]:
    aged = by_age(running)
    if newer_first:
        aged.reverse()
    return sorted(aged, key=spec_replicas, reverse=True)  # stable: equals keep their age order


def _share(deployment: Object, sizes: Sizes, replicaset: Object, left: int) -> int:
    """Return how much of `left` (negative when shrinking) this ReplicaSet takes."""
    if left == 0:
        return 0
    fraction = _fraction(deployment, sizes, replicaset)
    return min(fraction, left) if left > 0 else max(fraction, left)


def _fraction(deployment: Object, sizes: Sizes, replicaset: Object) -> int:
    """Return the change that keeps the ReplicaSet's share of the whole, halves away from zero."""
    size = spec_replicas(replicaset)
    if sizes.replicas == 0:
        return -size
    text = annotations_of(replicaset).get(MAX_REPLICAS, "")
    before = int(text) if text.isdigit() else 0
    before = before or int(dig(deployment, "status", "replicas", default=0))
    if before == 0:
        return 0
    return math.floor(size * sizes.limit / before + 0.5) - size
