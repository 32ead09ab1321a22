"""Priority: the number behind a pod's priority class, and at most one class that is the default.

The classes of the cluster's own are known even before they have been stored.
"""

from control_plane.api.objects import Object, name_of
from control_plane.api.resources import PODS, PRIORITYCLASSES
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Followed

PREEMPT = "PreemptLowerPriority"
BUILT_IN_CLASSES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}


class Priority(Plugin):
    """Sets spec.priority and spec.preemptionPolicy of pods; checks priority classes."""

    concerns = (PODS, PRIORITYCLASSES)

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Follow the priority classes."""
        super().__init__(collections, authorizer)
        self._classes: Followed[Object] = Followed(collections, PRIORITYCLASSES, lambda obj: obj)

    async def admit(self, review: Review) -> None:
        """Resolve the class of a new pod; keep what a pod has."""
        if review.is_for(PODS, Operation.CREATE):
            await self._resolve(review)
        elif review.is_for(PODS, Operation.UPDATE) and review.old is not None:
            spec, old = review.obj.setdefault("spec", {}), review.old.get("spec", {})
            for field in ("priority", "preemptionPolicy"):
                if spec.get(field) is None and old.get(field) is not None:
                    spec[field] = old[field]

    async def check(self, review: Review) -> None:
        """Refuse a second default among the classes."""
        writes = (Operation.CREATE, Operation.UPDATE)
        if not any(review.is_for(PRIORITYCLASSES, operation) for operation in writes):
            return
        default = self._default() if review.obj.get("globalDefault") else None
        if default is None:
            return
        is_new = review.operation is Operation.CREATE
        if is_new or name_of(default) != name_of(review.obj):
            raise review.forbidden(
                f"PriorityClass {name_of(default)} is already marked as default. "
                "Only one default can exist"
            )

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
        found = self._classes.get("", name) or await self.collections.live(
            PRIORITYCLASSES, "", name
        )
        if found is None:
            raise review.forbidden(f"no PriorityClass with name {name} was found")
        return found.get("value", 0), found.get("preemptionPolicy") or PREEMPT

    def _default_class(self, pod: Object) -> tuple[int, str]:
        found = self._default()
        if found is None:
            return 0, PREEMPT
        pod["spec"]["priorityClassName"] = name_of(found)
        return found.get("value", 0), found.get("preemptionPolicy") or PREEMPT

    def _default(self) -> Object | None:
        """The class marked as default, the lowest one when several are."""
        marked = (found for found in self._classes.of("") if found.get("globalDefault"))
        return min(marked, key=lambda found: int(found.get("value", 0)), default=None)
