"""The policies and bindings of the cluster, compiled, as the watch caches have them."""

from collections.abc import Iterator
from dataclasses import dataclass

from control_plane.api.objects import Object, name_of
from control_plane.api.policies.compiled import Policy, compiled
from control_plane.api.resources import (
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
)
from control_plane.apiserver.admission.matching import ANY, Criteria
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Follower

Place = tuple[str, str]

_EVERYTHING: Object = {
    "operations": [ANY],
    "apiGroups": [ANY],
    "apiVersions": [ANY],
    "resources": ["*/*"],
}


@dataclass(frozen=True, slots=True)
class Definition:
    """A policy and the writes it is about; `params_kind` is (apiVersion, kind), if it has one."""

    policy: Policy
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


def definition_of(policy: Object) -> Definition:
    """Compile a ValidatingAdmissionPolicy; ValueError for a selector that is none."""
    spec = policy["spec"]
    kind = spec.get("paramKind")
    return Definition(
        compiled(policy),
        _criteria(spec.get("matchConstraints") or {}),
        (kind["apiVersion"], kind["kind"]) if kind else None,
    )


def binding_of(binding: Object) -> Binding:
    """Compile a ValidatingAdmissionPolicyBinding; ValueError for a selector that is none."""
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


class Registered:
    """Every policy with the bindings that name it; `active` are those that any does."""

    def __init__(self, collections: Collections) -> None:
        """Follow the caches from now on."""
        self.active: tuple[tuple[Definition, tuple[Binding, ...]], ...] = ()
        self._definitions: dict[Place, Definition] = {}
        self._bindings: dict[Place, Binding] = {}
        collections.observe(VALIDATINGADMISSIONPOLICIES, Follower(self._put_policy))
        collections.observe(VALIDATINGADMISSIONPOLICYBINDINGS, Follower(self._put_binding))

    def _put_policy(self, place: Place, obj: Object | None) -> None:
        self._definitions.pop(place, None)
        if obj is not None:
            self._definitions[place] = definition_of(obj)
        self.active = tuple(self._joined())

    def _put_binding(self, place: Place, obj: Object | None) -> None:
        self._bindings.pop(place, None)
        if obj is not None:
            self._bindings[place] = binding_of(obj)
        self.active = tuple(self._joined())

    def _joined(self) -> Iterator[tuple[Definition, tuple[Binding, ...]]]:
        bindings = [self._bindings[place] for place in sorted(self._bindings)]
        for place in sorted(self._definitions):
            definition = self._definitions[place]
            named = tuple(one for one in bindings if one.policy == definition.policy.name)
            if named:
                yield definition, named
