"""Sizes of a Deployment and of its ReplicaSets. Pure. Source: kubernetes deployment/util."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from control_plane.api.objects import Object, dig

RECREATE = "Recreate"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many pods a Deployment wants, how many more it may have, how many may be missing."""

    replicas: int
    max_surge: int
    max_unavailable: int

    @property
    def limit(self) -> int:
        """The number of pods never to exceed."""
        return self.replicas + self.max_surge

    @property
    def min_available(self) -> int:
        """The number of available pods to keep."""
        return self.replicas - self.max_unavailable


def sizes_of(deployment: Object) -> Sizes:
    """Resolve percentages: surge rounds up, unavailable down; both 0 make unavailable 1.

    Recreate has neither.
    """
    replicas = spec_replicas(deployment)
    if dig(deployment, "spec", "strategy", "type") == RECREATE:
        return Sizes(replicas, 0, 0)
    rolling = dig(deployment, "spec", "strategy", "rollingUpdate", default={})
    surge = resolve(rolling.get("maxSurge", 0), replicas, math.ceil)
    unavailable = resolve(rolling.get("maxUnavailable", 0), replicas, math.floor)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Sizes(replicas, surge, min(unavailable, replicas))


def resolve(value: Any, total: int, rounding: Any) -> int:
    """Return an int-or-percentage as a number; a percentage is of `total`."""
    if isinstance(value, str) and value.endswith("%"):
        # whole numbers up to the division, so that no rounding error reaches `rounding`
        return int(rounding(int(value[:-1]) * total / 100))
    return int(value)


def spec_replicas(obj: Object) -> int:
    """Return spec.replicas of a Deployment or ReplicaSet; an absent one is 1, the API's default."""
    return int(dig(obj, "spec", "replicas", default=1))


def available(replicaset: Object) -> int:
    """Return status.availableReplicas."""
    return int(dig(replicaset, "status", "availableReplicas", default=0))


def total(replicasets: Iterable[Object], *path: str) -> int:
    """Sum a number over ReplicaSets; an absent one is 0."""
    return sum(int(dig(replicaset, *path, default=0)) for replicaset in replicasets)


def active(replicasets: Iterable[Object]) -> list[Object]:
    """Return the ReplicaSets that want pods."""
    return [replicaset for replicaset in replicasets if spec_replicas(replicaset) > 0]
