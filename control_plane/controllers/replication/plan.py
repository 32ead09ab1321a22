"""How many pods to create, or which ones to delete. Pure. Source: replica_set.go manageReplicas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from control_plane.api.objects import Object, dig
from control_plane.controllers.replication.ranking import ranked_for_deletion

BURST = 500  # creations or deletions in one reconciliation


@dataclass(frozen=True, slots=True)
class Plan:
    """Pods to create, or pods to delete; never both."""

    create: int = 0
    delete: tuple[Object, ...] = ()


def replicas_of(owner: Object) -> int:
    """Return the wanted number of pods."""
    return int(dig(owner, "spec", "replicas", default=0))


def plan(owner: Object, pods: Sequence[Object], crowded: Mapping[str, int], now: datetime) -> Plan:
    """Compare the active `pods` with what `owner` wants.

    `crowded` counts by node the active pods of all that share the owner's own owner.
    """
    surplus = len(pods) - replicas_of(owner)
    if surplus < 0:
        return Plan(create=min(-surplus, BURST))
    if surplus == 0:
        return Plan()
    if surplus >= len(pods):
        return Plan(delete=tuple(pods[:BURST]))
    ranked = ranked_for_deletion(pods, crowded, now)
    return Plan(delete=tuple(ranked[: min(surplus, BURST)]))
