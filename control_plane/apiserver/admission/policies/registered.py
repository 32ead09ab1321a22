"""The policies and bindings of the cluster, compiled, as the watch caches have them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from control_plane.api.objects import Object, name_of
from control_plane.api.resources import Resource
from control_plane.apiserver.admission.matching import ANY, Criteria
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Follower

Place = tuple[str, str]


class AnyPolicy(Protocol):
    """What policies of every kind have."""

    @property
    def name(self) -> str:
        """The name of the object."""

    @property
    def fails_closed(self) -> bool:
        """Whether what cannot be evaluated is a refusal."""


Compiled = TypeVar("Compiled", bound=AnyPolicy)

_EVERYTHING: Object = {
    "operations": [ANY],
    "apiGroups": [ANY],
    "apiVersions": [ANY],
    "resources": ["*/*"],
}


@dataclass(frozen=True, slots=True)
class Definition(Generic[Compiled]):
    """A policy and the writes it is about; `params_kind` is (apiVersion, kind), if it has one."""

    policy: Compiled
    criteria: Criteria
    params_kind: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Binding:
    """What makes a policy hold: for which writes, with which params, and what a failure does."""

    name: str
    policy: str
    criteria: Criteria | None
    params: Object | None
    actions: tuple[str, ...]

    async def is_about(self, review: Review, collections: Collections) -> bool:
        """Whether the policy holds for this write; raises what Criteria.seen_as does."""
        if self.criteria is None:
            return True
        return await self.criteria.seen_as(review, collections) is not None


def definition_of(policy: Object, compiled: Callable[[Object], Compiled]) -> Definition[Compiled]:
    """Compile a policy; ValueError for a selector that is none."""
    spec = policy["spec"]
    kind = spec.get("paramKind")
    return Definition(
        compiled(policy),
        _criteria(spec.get("matchConstraints") or {}),
        (kind["apiVersion"], kind["kind"]) if kind else None,
    )


def binding_of(binding: Object) -> Binding:
    """Compile a binding; ValueError for a selector that is none."""
    spec = binding["spec"]
    match = spec.get("matchResources")
    return Binding(
        name_of(binding),
        spec.get("policyName") or "",
        _criteria(match) if match is not None else None,
        spec.get("paramRef"),
        tuple(spec.get("validationActions") or ()),
    )


def _criteria(match: Object) -> Criteria:
    rules = match.get("resourceRules") or [_EVERYTHING]
    return Criteria.of({**match, "resourceRules": rules}, "resourceRules", "excludeResourceRules")


class Registered(Generic[Compiled]):
    """Every policy with the bindings that name it; `active` are those that any does."""

    def __init__(
        self,
        collections: Collections,
        policies: Resource,
        bindings: Resource,
        compiled: Callable[[Object], Compiled],
    ) -> None:
        """Follow the caches of these two kinds from now on."""
        self.active: tuple[tuple[Definition[Compiled], tuple[Binding, ...]], ...] = ()
        self._compiled = compiled
        self._definitions: dict[Place, Definition[Compiled]] = {}
        self._bindings: dict[Place, Binding] = {}
        collections.observe(policies, Follower(self._put_policy))
        collections.observe(bindings, Follower(self._put_binding))

    def _put_policy(self, place: Place, obj: Object | None) -> None:
        self._definitions.pop(place, None)
        if obj is not None:
            self._definitions[place] = definition_of(obj, self._compiled)
        self.active = tuple(self._joined())

    def _put_binding(self, place: Place, obj: Object | None) -> None:
        self._bindings.pop(place, None)
        if obj is not None:
            self._bindings[place] = binding_of(obj)
        self.active = tuple(self._joined())

    def _joined(self) -> Iterator[tuple[Definition[Compiled], tuple[Binding, ...]]]:
        bindings = [self._bindings[place] for place in sorted(self._bindings)]
        for place in sorted(self._definitions):
            definition = self._definitions[place]
            named = tuple(one for one in bindings if one.policy == definition.policy.name)
            if named:
                yield definition, named
