"""Whether a write is one that a webhook or policy wants to see: rules and selectors, compiled.

A rule names operations, groups, versions and resources, "*" for all. With the match policy
Equivalent, a write in a version that no rule names is looked at in one of the other versions of
the same stored type. Source: the rule, namespace and object matchers of apiserver v1.35.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from control_plane.api import label_selector
from control_plane.api.errors import NotFound
from control_plane.api.label_selector import Selector
from control_plane.api.objects import Object, labels_of
from control_plane.api.resources import NAMESPACES, Resource, ResourceSet
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.storage.collections import Collections

ANY = "*"
CONFIGURING = frozenset({
    "mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations",
    "validatingadmissionpolicies", "validatingadmissionpolicybindings",
    "validatingwebhookconfigurations",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `names`, if there are any, are those of the only objects it is about."""

    operations: frozenset[str]
    groups: frozenset[str]
    versions: frozenset[str]
    resources: frozenset[str]
    scope: str = ANY
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rule: Object) -> Self:
        """Compile a RuleWithOperations, or a NamedRuleWithOperations."""
        return cls(
            frozenset(rule.get("operations") or ()),
            frozenset(rule.get("apiGroups") or ()),
            frozenset(rule.get("apiVersions") or ()),
            frozenset(rule.get("resources") or ()),
            rule.get("scope") or ANY,
            frozenset(rule.get("resourceNames") or ()),
        )

    def matches(self, review: Review, resource: Resource) -> bool:
        """Whether the write is meant, when `resource` is the version it is looked at in."""
        return (
            _has(self.operations, review.operation.value)
            and _has(self.groups, resource.group)
            and _has(self.versions, resource.version)
            and self._has_resource(resource.plural, review.subresource)
            and self._has_scope(review)
            and (not self.names or review.name in self.names)
        )

    def _has_resource(self, plural: str, subresource: str) -> bool:
        if not subresource:
            return not self.resources.isdisjoint((plural, ANY, "*/*", f"{plural}/*"))
        wanted = (f"{plural}/{subresource}", f"{plural}/*", f"*/{subresource}", "*/*")
        return not self.resources.isdisjoint(wanted)

    def _has_scope(self, review: Review) -> bool:
        if self.scope == ANY:
            return True
        is_in_namespace = review.resource is not NAMESPACES and bool(review.namespace)
        return is_in_namespace == (self.scope == "Namespaced")


def _has(named: frozenset[str], value: str) -> bool:
    return value in named or ANY in named


@dataclass(frozen=True, slots=True)
class Criteria:
    """Everything about a write that decides, but for expressions."""

    rules: tuple[Rule, ...]
    namespaces: Selector
    objects: Selector
    is_exact: bool = False
    excluding: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, obj: Object, rules: str = "rules", excluding: str = "") -> Self:
        """Compile a webhook or the match constraints of a policy, whose fields of rules these are.

        ValueError for a selector that is none.
        """
        return cls(
            tuple(Rule.of(rule) for rule in obj.get(rules) or ()),
            label_selector.from_object(obj.get("namespaceSelector") or {}),
            label_selector.from_object(obj.get("objectSelector") or {}),
            obj.get("matchPolicy") == "Exact",
            tuple(Rule.of(rule) for rule in obj.get(excluding) or ()) if excluding else (),
        )

    async def seen_as(self, review: Review, collections: Collections) -> Resource | None:
        """The version to look at the write in; None when it is not meant.

        Raises NotFound when the selector needs the labels of a namespace that is not there.
        """
        resource = self._by_rules(review, collections.resources)
        if resource is None or not self._selects_object(review):
            return None
        return resource if await self._selects_namespace(review, collections) else None

    def _by_rules(self, review: Review, resources: ResourceSet) -> Resource | None:
        if self.excluding and _named_by(self.excluding, review, resources, self.is_exact):
            return None
        return _named_by(self.rules, review, resources, self.is_exact)

    def _selects_object(self, review: Review) -> bool:
        if self.objects.is_everything:
            return True
        seen = None if review.operation is Operation.DELETE else review.obj
        labelled = [labels_of(obj) for obj in (seen, review.old) if obj and "metadata" in obj]
        return any(self.objects.matches(labels) for labels in labelled)

    async def _selects_namespace(self, review: Review, collections: Collections) -> bool:
        if self.namespaces.is_everything:
            return True
        if review.resource is NAMESPACES:
            writes = review.operation in (Operation.CREATE, Operation.UPDATE)
            if writes and not review.subresource:
                return self.namespaces.matches(labels_of(review.obj))
            return self.namespaces.matches(await _labels(review.name, collections))
        if not review.namespace:
            return True
        return self.namespaces.matches(await _labels(review.namespace, collections))


async def _labels(namespace: str, collections: Collections) -> dict[str, str]:
    found = await collections.find(NAMESPACES, "", namespace)
    if found is None:
        raise NotFound.of(NAMESPACES, namespace)
    return labels_of(found)


def _named_by(
    rules: Iterable[Rule], review: Review, resources: ResourceSet, is_exact: bool
) -> Resource | None:
    own = review.resource
    if any(rule.matches(review, own) for rule in rules):
        return own
    if is_exact:
        return None
    others = list(equivalents(own, resources))
    found = ((rule, other) for rule in rules for other in others)
    return next((other for rule, other in found if rule.matches(review, other)), None)


def equivalents(resource: Resource, resources: ResourceSet) -> Iterator[Resource]:
    """The other versions of the type, as far as objects of it are stored."""
    if resource.is_stored:
        prefix = resource.storage_prefix
        for row in resources.rows:
            if row is not resource and row.is_stored and row.storage_prefix == prefix:
                yield row


def is_configuring(review: Review) -> bool:
    """Whether the write is of what configures admission, which no webhook or policy may see."""
    resource = review.resource
    return resource.group == "admissionregistration.k8s.io" and resource.plural in CONFIGURING
