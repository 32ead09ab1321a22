"""Which old ReplicaSets to delete: those beyond revisionHistoryLimit that are done with. Pure."""

from collections.abc import Iterable

from control_plane.api.objects import Object, dig, is_terminating
from control_plane.controllers.deployment.revisions import by_age, revision_of
from control_plane.controllers.deployment.sizes import spec_replicas

NO_LIMIT = 2**31 - 1


def plan_cleanup(deployment: Object, olds: Iterable[Object]) -> list[Object]:
    """Return the ReplicaSets to delete; of the surplus, by revision, only those without pods."""
    limit = dig(deployment, "spec", "revisionHistoryLimit", default=NO_LIMIT)
    if limit == NO_LIMIT:
        return []
    kept = [old for old in olds if not is_terminating(old)]
    surplus = max(0, len(kept) - limit)
    ordered = sorted(by_age(kept), key=revision_of)
    return [old for old in ordered[:surplus] if _is_idle(old)]


def _is_idle(replicaset: Object) -> bool:
    observed = dig(replicaset, "status", "observedGeneration", default=0)
    return (
        spec_replicas(replicaset) == 0
        and dig(replicaset, "status", "replicas", default=0) == 0
        and observed >= dig(replicaset, "metadata", "generation", default=0)
    )
