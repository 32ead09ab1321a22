"""What roles allow, in a form that answers a question with a few look-ups. Pure.

A role's rules are taken apart once, into one key for each verb, group and resource that they name;
the keys of all roles that somebody has in one place become one table. A question looks for the few
keys that would allow it, however many bindings and rules there are. Source: the RBAC authorizer of
Kubernetes v1.35.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from control_plane.api.objects import Object
from control_plane.apiserver.auth.rules import ANY, Attributes, PathRule, ResourceRule, Rules

Key = tuple[str, ...]  # verb, group, resource and, in `named`, the object's name; or verb and path


class Question(NamedTuple):
    """A request, and the keys of which one must be there to allow it."""

    asked: Attributes
    keys: tuple[Key, ...]


def question_of(asked: Attributes) -> Question:
    """Prepare a request for `Permissions.reason`."""
    verbs = (asked.verb, ANY)
    if not asked.resource:
        return Question(asked, tuple((verb, asked.path) for verb in verbs))
    resources = [asked.full_resource, ANY]
    if asked.subresource:
        resources.append(f"*/{asked.subresource}")
    groups = (asked.group, ANY)
    return Question(asked, tuple((v, g, r) for v in verbs for g in groups for r in resources))


@dataclass(frozen=True, slots=True)
class Role:
    """A role's rules, and the keys that they come to."""

    rules: Rules
    whole: tuple[Key, ...]  # resources, whatever the object is called
    named: tuple[Key, ...]
    paths: tuple[Key, ...]
    prefixes: tuple[Key, ...]


def role_of(obj: Object) -> Role:
    """Take the rules of a Role or ClusterRole apart."""
    rules = rules_of(obj.get("rules"))
    paths = tuple(_path_keys(rules.paths))
    return Role(
        rules,
        tuple(key for rule in rules.resources if not rule.names for key in _keys(rule)),
        tuple((*key, n) for rule in rules.resources for key in _keys(rule) for n in rule.names),
        tuple((verb, path) for verb, path in paths if not path.endswith(ANY)),
        tuple((verb, path.rstrip(ANY)) for verb, path in paths if path.endswith(ANY)),
    )


def rules_of(rules: Iterable[Object] | None) -> Rules:
    """The rules of an object."""
    resources, paths = [], []
    for rule in rules or ():
        verbs = tuple(rule.get("verbs") or ())
        if rule.get("nonResourceURLs"):
            paths.append(PathRule(verbs, tuple(rule["nonResourceURLs"])))
        else:
            parts = ("apiGroups", "resources", "resourceNames")
            groups, names, objects = (tuple(rule.get(part) or ()) for part in parts)
            resources.append(ResourceRule(verbs, groups, names, objects))
    return Rules(tuple(resources), tuple(paths))


def _keys(rule: ResourceRule) -> Iterator[Key]:
    return ((v, g, r) for v in rule.verbs for g in rule.groups for r in rule.resources)


def _path_keys(rules: Iterable[PathRule]) -> Iterator[tuple[str, str]]:
    return ((verb, path) for rule in rules for verb in rule.verbs for path in rule.paths)


@dataclass(slots=True)
class Permissions:
    """All that one subject's bindings in one place allow: keys, and why each is there.

    `missing` names the roles that bindings name and nobody has made.
    """

    whole: dict[Key, str] = field(default_factory=dict)
    named: dict[Key, str] = field(default_factory=dict)
    paths: dict[Key, str] = field(default_factory=dict)
    prefixes: dict[Key, str] = field(default_factory=dict)
    rules: list[Rules] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, role: Role, reason: str) -> None:
        """Add what a role allows."""
        self.whole |= dict.fromkeys(role.whole, reason)
        self.named |= dict.fromkeys(role.named, reason)
        self.paths |= dict.fromkeys(role.paths, reason)
        self.prefixes |= dict.fromkeys(role.prefixes, reason)
        self.rules.append(role.rules)

    def reason(self, question: Question) -> str:
        """Why the request is allowed; "" when nothing here allows it."""
        asked, keys = question
        if not asked.resource:
            return self._reason_of_path(asked, keys)
        whole = self.whole
        for key in keys:
            if key in whole:
                return whole[key]
        if self.named and asked.name:
            for key in keys:
                if (*key, asked.name) in self.named:
                    return self.named[*key, asked.name]
        return ""

    def _reason_of_path(self, asked: Attributes, keys: tuple[Key, ...]) -> str:
        for key in keys:
            if key in self.paths:
                return self.paths[key]
        verbs = (asked.verb, ANY)
        for (verb, prefix), reason in self.prefixes.items():
            if verb in verbs and asked.path.startswith(prefix):
                return reason
        return ""
