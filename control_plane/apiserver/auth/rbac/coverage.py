"""Which of some rules go beyond what others allow. Pure.

Rules are broken down to one verb on one resource each; those that are not covered are put together
again by verb and shown as upstream shows them. Source: the rule comparison of Kubernetes v1.35.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from control_plane.api.go_syntax import quote
from control_plane.api.objects import Object
from control_plane.apiserver.auth.rules import Attributes, Rules


class Permission(NamedTuple):
    """Verbs on one resource (of that name, if there is one), or on one path."""

    group: str
    resource: str
    name: str
    path: str
    verbs: tuple[str, ...]

    @property
    def asked(self) -> Attributes:
        """The request that needs the first verb."""
        resource, _, subresource = self.resource.partition("/")
        return Attributes(
            self.verbs[0], self.path, self.group, resource, subresource, name=self.name
        )

    def rule(self) -> Object:
        """The permission as a rule of a role."""
        verbs = list(self.verbs)
        if self.path:
            return {"verbs": verbs, "nonResourceURLs": [self.path]}
        rule = {"verbs": verbs, "apiGroups": [self.group], "resources": [self.resource]}
        return {**rule, "resourceNames": [self.name]} if self.name else rule

    def __str__(self) -> str:
        """Return the permission as messages show it."""
        if self.path:
            parts = [_part("NonResourceURLs", (self.path,))]
        else:
            parts = [_part("APIGroups", (self.group,)), _part("Resources", (self.resource,))]
        if self.name:
            parts.append(_part("ResourceNames", (self.name,)))
        return f"{{{', '.join([*parts, _part('Verbs', self.verbs)])}}}"


def uncovered(wanted: Rules, allows: Callable[[Attributes], bool]) -> list[Permission]:
    """What of `wanted` is not allowed."""
    return [permission for permission in _broken_down(wanted) if not allows(permission.asked)]


def compact(permissions: Iterable[Permission]) -> list[Permission]:
    """The same with all verbs on one resource together."""
    verbs: dict[tuple[str, str, str, str], list[str]] = {}
    for permission in permissions:
        verbs.setdefault(permission[:4], []).extend(permission.verbs)
    return [Permission(*place, tuple(dict.fromkeys(them))) for place, them in verbs.items()]


def _broken_down(rules: Rules) -> Iterator[Permission]:
    for rule in rules.resources:
        for group in rule.groups:
            for resource in rule.resources:
                for verb in rule.verbs:
                    for name in rule.names or ("",):
                        yield Permission(group, resource, name, "", (verb,))
    for path_rule in rules.paths:
        for path in path_rule.paths:
            for verb in path_rule.verbs:
                yield Permission("", "", "", path, (verb,))


def _part(name: str, values: Sequence[str]) -> str:
    return f"{name}:[{' '.join(quote(value) for value in values)}]"
