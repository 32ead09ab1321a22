"""RuntimeClass: a pod of a runtime class has its overhead, and goes where the class runs."""

from control_plane.api.errors import Forbidden
from control_plane.api.go_syntax import quote
from control_plane.api.objects import Object, dig
from control_plane.api.quota.amounts import thousandths
from control_plane.api.resources import PODS, RUNTIMECLASSES
from control_plane.api.tolerations import merged
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Followed

_DIFFERS = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
_UNDEFINED = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"


class RuntimeClass(Plugin):
    """Completes and checks new pods."""

    concerns = (PODS,)

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Follow the runtime classes."""
        super().__init__(collections, authorizer)
        self._classes: Followed[Object] = Followed(collections, RUNTIMECLASSES, lambda obj: obj)

    async def admit(self, review: Review) -> None:
        """Set the overhead, the node selector and the tolerations of the class."""
        if not review.is_for(PODS, Operation.CREATE):
            return
        found = await self._class(review)
        if found is None:
            return
        spec, overhead = review.obj["spec"], _overhead(found)
        if overhead is not None:
            if spec.get("overhead") is not None and not _same(spec["overhead"], overhead):
                raise review.forbidden(_DIFFERS)
            spec["overhead"] = dict(overhead)
        scheduling = found.get("scheduling")
        if scheduling is not None:
            _schedule(review, spec, scheduling)

    async def check(self, review: Review) -> None:
        """Refuse an overhead that is not the class's."""
        if not review.is_for(PODS, Operation.CREATE):
            return
        given = dig(review.obj, "spec", "overhead", default=None)
        found = await self._class(review)
        overhead = _overhead(found) if found is not None else None
        if overhead is None:
            if given is not None:
                raise review.forbidden(_UNDEFINED)
        elif not _same(given or {}, overhead):
            raise review.forbidden(_DIFFERS)

    async def _class(self, review: Review) -> Object | None:
        name = dig(review.obj, "spec", "runtimeClassName", default=None)
        if name is None:
            return None
        found = self._classes.get("", name) or await self.collections.live(RUNTIMECLASSES, "", name)
        if found is None:
            raise review.forbidden(f"pod rejected: RuntimeClass {quote(name)} not found")
        return found


def _overhead(runtime_class: Object) -> Object | None:
    """The overhead of a class; None when it does not define any."""
    defined = runtime_class.get("overhead")
    return None if defined is None else defined.get("podFixed") or {}


def _same(one: Object, other: Object) -> bool:
    return _amounts(one) == _amounts(other)


def _amounts(resources: Object) -> dict[str, int]:
    return {name: thousandths(amount) for name, amount in resources.items()}


def _schedule(review: Review, spec: Object, scheduling: Object) -> None:
    """Add where the class's pods may run; raises Forbidden where the pod wants to be elsewhere."""
    selector = spec.get("nodeSelector") or {}
    for key, value in (scheduling.get("nodeSelector") or {}).items():
        if selector.get(key, value) != value:
            raise _conflict(review, key, value, selector[key])
        selector = {**selector, key: value}
    if selector:
        spec["nodeSelector"] = selector
    tolerations = merged(spec.get("tolerations") or [], scheduling.get("tolerations") or [])
    if tolerations:
        spec["tolerations"] = tolerations


def _conflict(review: Review, key: str, wanted: str, given: str) -> Forbidden:
    return review.forbidden(
        f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {wanted}; "
        f"pod.spec.nodeSelector[{key}] = {given}"
    )
