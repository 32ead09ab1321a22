"""Priority: the number behind a pod's priority class.

Priority classes of the cluster's own are known by name; the others will be objects.
"""

from control_plane.api.objects import Object
from control_plane.api.resources import PODS, Resource
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review

PREEMPT = "PreemptLowerPriority"
BUILT_IN_CLASSES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}


class Priority(Plugin):
    """Sets spec.priority and spec.preemptionPolicy."""

    async def admit(self, review: Review) -> None:
        """Resolve the class of a new pod; keep what a pod has."""
        if review.is_for(PODS, Operation.CREATE):
            await self._resolve(review)
        elif review.is_for(PODS, Operation.UPDATE) and review.old is not None:
            spec, old = review.obj.setdefault("spec", {}), review.old.get("spec", {})
            for field in ("priority", "preemptionPolicy"):
                if spec.get(field) is None and old.get(field) is not None:
                    spec[field] = old[field]

    async def _resolve(self, review: Review) -> None:
        spec = review.obj.setdefault("spec", {})
        value, policy = await self._class(review, spec.get("priorityClassName") or "")
        given = spec.get("priority")
        if given is not None and given != value:
            raise review.forbidden(
                f"the integer value of priority ({given}) must not be provided in pod spec; "
                f"priority admission controller computed {value} from the given PriorityClass name"
            )
        given = spec.get("preemptionPolicy")
        if given is not None and given != policy:
            raise review.forbidden(
                f"the string value of PreemptionPolicy ({given}) must not be provided in pod spec; "
                f"priority admission controller computed {policy} from the given "
                "PriorityClass name"
            )
        spec["priority"], spec["preemptionPolicy"] = value, policy

    async def _class(self, review: Review, name: str) -> tuple[int, str]:
        """The value and preemption policy of a class; "" asks for the default one."""
        if not name:
            return self._default_class(review.obj)
        if name in BUILT_IN_CLASSES:
            return BUILT_IN_CLASSES[name], PREEMPT
        resource = self.collections.resources.named("scheduling.k8s.io", "v1", "priorityclasses")
        found = await self.collections.find(resource, "", name) if resource else None
        if found is None:
            raise review.forbidden(f"no PriorityClass with name {name} was found")
        return found.get("value", 0), found.get("preemptionPolicy") or PREEMPT

    def _default_class(self, pod: Object) -> tuple[int, str]:
        resource = self.collections.resources.named("scheduling.k8s.io", "v1", "priorityclasses")
        found = self._global_default(resource) if resource is not None else None
        if found is None:
            return 0, PREEMPT
        pod["spec"]["priorityClassName"] = found["metadata"]["name"]
        return found.get("value", 0), found.get("preemptionPolicy") or PREEMPT

    def _global_default(self, resource: Resource) -> Object | None:
        """The class marked as default, the lowest one when several are."""
        cache = self.collections.of(resource).cache
        named = (self.collections.cached(resource, "", entry.name) for entry in cache.select())
        marked = [found for found in named if found is not None and found.get("globalDefault")]
        return min(marked, key=lambda found: int(found.get("value", 0)), default=None)
