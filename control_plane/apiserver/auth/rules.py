"""Rules of who may do what, as roles have them, and whether one of them fits a request. Pure.

Source: role-based access control of Kubernetes v1.35.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from control_plane.api.objects import Object

ANY = "*"


class Attributes(NamedTuple):
    """What is asked: an action on a resource, or (with an empty `resource`) a verb on a path.

    `selected` are the fields that must have exactly these values in what is read or deleted.
    """

    verb: str
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    selected: tuple[tuple[str, str], ...] = ()

    @property
    def full_resource(self) -> str:
        """The resource with its subresource, as in pods/exec."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class ResourceRule:
    """Verbs on resources of groups, "*" being any; with `names`, only on the objects so named."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    names: tuple[str, ...] = ()

    def fits(self, asked: Attributes) -> bool:
        """Whether this allows what is asked of a resource."""
        return (
            _has(self.verbs, asked.verb)
            and _has(self.groups, asked.group)
            and self._has_resource(asked)
            and (not self.names or asked.name in self.names)
        )

    def _has_resource(self, asked: Attributes) -> bool:
        if _has(self.resources, asked.full_resource):
            return True
        return bool(asked.subresource) and f"*/{asked.subresource}" in self.resources

    def document(self) -> Object:
        """The rule as a SelfSubjectRulesReview shows it."""
        shown = {
            "verbs": list(self.verbs),
            "apiGroups": list(self.groups),
            "resources": list(self.resources),
        }
        return {**shown, "resourceNames": list(self.names)} if self.names else shown


@dataclass(frozen=True, slots=True)
class PathRule:
    """Verbs on paths that are no resources; a path may end in "*"."""

    verbs: tuple[str, ...]
    paths: tuple[str, ...]

    def fits(self, asked: Attributes) -> bool:
        """Whether this allows the verb on the path."""
        return _has(self.verbs, asked.verb) and any(_covers(p, asked.path) for p in self.paths)

    def document(self) -> Object:
        """The rule as a SelfSubjectRulesReview shows it."""
        return {"verbs": list(self.verbs), "nonResourceURLs": list(self.paths)}


@dataclass(frozen=True, slots=True)
class Rules:
    """All that somebody may do; `incomplete` when an authorizer could not say, `error` why."""

    resources: tuple[ResourceRule, ...] = ()
    paths: tuple[PathRule, ...] = ()
    incomplete: bool = False
    error: str = ""

    def allow(self, asked: Attributes) -> bool:
        """Whether one of the rules fits."""
        rules: Sequence[ResourceRule | PathRule] = self.resources if asked.resource else self.paths
        return any(rule.fits(asked) for rule in rules)


def _has(allowed: Sequence[str], value: str) -> bool:
    return ANY in allowed or value in allowed


def _covers(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith(ANY) else path == pattern
