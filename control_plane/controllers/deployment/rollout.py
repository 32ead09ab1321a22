"""One reconciliation of a Deployment under way: what was read, and the writes it may make.

Called by controller.py. Every write goes out with the resourceVersion that was read; the answer
replaces what was read, so that several writes can follow one another. A conflict means that the
cache was old: the error ends the reconciliation and the key is tried again.
"""

from dataclasses import dataclass, field
from typing import Any

from control_plane.api.errors import AlreadyExists, ApiError, NotFound
from control_plane.api.objects import (
    Object,
    annotations_of,
    controller_of,
    deep_copy,
    dig,
    name_of,
    namespace_of,
    uid_of,
)
from control_plane.api.resources import DEPLOYMENTS, REPLICASETS
from control_plane.controllers.cluster import Cluster, ReconcileError
from control_plane.controllers.conditions import condition, find, with_condition
from control_plane.controllers.deployment.progress import PROGRESSING, has_deadline
from control_plane.controllers.deployment.revisions import (
    REVISION,
    find_new,
    former_replicasets,
    new_replicaset,
    next_revision,
    same_template,
    size_annotations,
    synced,
)
from control_plane.controllers.deployment.rolling import new_size
from control_plane.controllers.deployment.scaling import Scale
from control_plane.controllers.deployment.sizes import Sizes, sizes_of, spec_replicas
from control_plane.controllers.runtime import is_namespace_terminating


@dataclass(slots=True)
class Rollout:
    """A Deployment, its ReplicaSets (the present template's own apart), and the way to write."""

    cluster: Cluster
    deployment: Object
    olds: list[Object]
    new: Object | None = None
    sizes: Sizes = field(init=False)

    def __post_init__(self) -> None:
        """Find the present template's ReplicaSet among the given ones."""
        self.sizes = sizes_of(self.deployment)
        self.new = find_new(self.deployment, self.olds)
        self.olds = former_replicasets(self.olds, self.new)

    @property
    def everyone(self) -> list[Object]:
        """All ReplicaSets."""
        return [*self.olds, *([self.new] if self.new else [])]

    async def ensure_new(self, *, create: bool) -> None:
        """Bring the new ReplicaSet's annotations and revision up to date; make it if asked to."""
        revision = next_revision(self.olds)
        if self.new is not None:
            await self._sync_new(self.new, revision)
        elif create:
            await self._create_new(revision)

    async def _sync_new(self, new: Object, revision: int) -> None:
        """Update the ReplicaSet, or if it is as it should be, what the deployment says of it."""
        wanted = synced(self.deployment, new, revision)
        if wanted != new:
            self.new = await self.cluster.client.update(REPLICASETS, wanted)
            return
        text = f'Found new replica set "{name_of(new)}"'
        found = self._progressing("True", "FoundNewReplicaSet", text)
        known = find(dig(self.deployment, "status", "conditions", default=[]), PROGRESSING)
        await self._note_revision(annotations_of(new).get(REVISION, ""), None if known else found)

    async def _create_new(self, revision: int) -> None:
        new = new_replicaset(self.deployment, revision, self._first_size())
        try:
            created = await self.cluster.client.create(REPLICASETS, new)
        except AlreadyExists:
            created = await self._existing_or_collision(new)
        except ApiError as error:
            if not is_namespace_terminating(error):
                await self._report_failure(new, error)
            raise
        else:
            if size := spec_replicas(created):
                self._event(f"Scaled up replica set {name_of(created)} from 0 to {size}")
        self.new = created
        text = f'Created new replica set "{name_of(created)}"'
        await self._note_revision(
            str(revision), self._progressing("True", "NewReplicaSetCreated", text)
        )

    def _first_size(self) -> int:
        return new_size(self.sizes, 0, self.olds)

    async def _existing_or_collision(self, new: Object) -> Object:
        """Return what has the new one's name if it is that; else count a collision and fail."""
        existing = await self.cluster.client.get(REPLICASETS, name_of(new), namespace_of(new))
        owner = (controller_of(existing) or {}).get("uid")
        if owner == uid_of(self.deployment) and same_template(
            existing["spec"]["template"], self.deployment["spec"]["template"]
        ):
            return existing
        collisions = dig(self.deployment, "status", "collisionCount", default=0) + 1
        status = (self.deployment.get("status") or {}) | {"collisionCount": collisions}
        await self.write_status(status)
        raise ReconcileError(f"replica set {name_of(new)} exists and is another's: hash collision")

    async def _report_failure(self, new: Object, error: ApiError) -> None:
        text = f'Failed to create new replica set "{name_of(new)}": {error.message}'
        failed = self._progressing("False", "ReplicaSetCreateError", text)
        self.cluster.events.record(self.deployment, "Warning", "ReplicaSetCreateError", text)
        await self._set_conditions(failed)

    def _progressing(self, status: str, reason: str, text: str) -> Object:
        return condition(PROGRESSING, status, reason, text, self.cluster.stamp())

    async def _note_revision(self, revision: str, progressing: Object | None) -> None:
        """Write revision and condition, both by the status endpoint, if they changed."""
        annotations = dict(annotations_of(self.deployment))
        if revision and annotations.get(REVISION) != revision:
            self.deployment = deep_copy(self.deployment)
            self.deployment["metadata"]["annotations"] = annotations | {REVISION: revision}
            await self._set_conditions(progressing, force=True)
        else:
            await self._set_conditions(progressing)

    async def _set_conditions(self, progressing: Object | None, *, force: bool = False) -> None:
        before = dig(self.deployment, "status", "conditions", default=[])
        after = before
        if progressing is not None and has_deadline(self.deployment):
            after = with_condition(before, progressing)
        if force or after != before:
            await self.write_status((self.deployment.get("status") or {}) | {"conditions": after})

    async def write_status(self, status: dict[str, Any]) -> None:
        """Replace the deployment's status, and its annotations with it."""
        changed = deep_copy(self.deployment)
        changed["status"] = status
        self.deployment = await self.cluster.client.update(
            DEPLOYMENTS, changed, subresource="status"
        )

    async def scale(self, scales: list[Scale]) -> bool:
        """Give ReplicaSets their sizes and size annotations; True if a size changed."""
        for scale in scales:
            await self._scale(scale)
        return any(scale.changes_size for scale in scales)

    async def _scale(self, scale: Scale) -> None:
        replicaset = scale.replicaset
        annotations = annotations_of(replicaset) | size_annotations(self.sizes)
        if not scale.changes_size and annotations == annotations_of(replicaset):
            return
        changed = deep_copy(replicaset)
        changed["spec"]["replicas"] = scale.replicas
        changed["metadata"]["annotations"] = annotations
        self._replace(await self.cluster.client.update(REPLICASETS, changed))
        if scale.changes_size:
            before = spec_replicas(replicaset)
            way = "up" if scale.replicas > before else "down"
            name = name_of(replicaset)
            self._event(f"Scaled {way} replica set {name} from {before} to {scale.replicas}")

    def _replace(self, replicaset: Object) -> None:
        """Put a written ReplicaSet in the place of what was read."""
        uid = uid_of(replicaset)
        if self.new and uid_of(self.new) == uid:
            self.new = replicaset
        self.olds = [replicaset if uid_of(old) == uid else old for old in self.olds]

    async def delete(self, replicasets: list[Object]) -> None:
        """Delete old ReplicaSets; one that is gone already is fine."""
        for old in replicasets:
            try:
                await self.cluster.client.delete(REPLICASETS, name_of(old), namespace_of(old))
            except NotFound:
                continue

    def _event(self, text: str) -> None:
        self.cluster.events.record(self.deployment, "Normal", "ScalingReplicaSet", text)
