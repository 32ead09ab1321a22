"""The audit policy: how much is recorded of which request.

The first rule that matches decides; a request that none matches is not recorded. Pure.
Source: audit.k8s.io/v1 Policy and its evaluation in Kubernetes v1.35.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from control_plane.apiserver.audit.request_info import RequestInfo
from control_plane.apiserver.auth.user import User


class Level(IntEnum):
    """How much is recorded; each includes those before it."""

    NONE = 0
    METADATA = 1
    REQUEST = 2
    REQUEST_RESPONSE = 3


LEVELS = {
    "None": Level.NONE,
    "Metadata": Level.METADATA,
    "Request": Level.REQUEST,
    "RequestResponse": Level.REQUEST_RESPONSE,
}
LEVEL_NAMES = {level: name for name, level in LEVELS.items()}


class Stage(StrEnum):
    """When an event is made."""

    REQUEST_RECEIVED = "RequestReceived"
    RESPONSE_STARTED = "ResponseStarted"
    RESPONSE_COMPLETE = "ResponseComplete"
    PANIC = "Panic"


@dataclass(frozen=True, slots=True)
class GroupResources:
    """Resources of one API group; none means all of them. Names are of objects."""

    group: str = ""
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def match(self, info: RequestInfo) -> bool:
        """Whether the request is about one of them."""
        if info.group != self.group:
            return False
        if not self.resources:
            return True
        is_named = not self.names or info.name in self.names
        return is_named and any(_resource_matches(one, info) for one in self.resources)


def _resource_matches(wanted: str, info: RequestInfo) -> bool:
    asked = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    if wanted in ("*", asked):
        return True
    resource, slash, subresource = wanted.partition("/")
    if not slash:
        return False
    if subresource == "*":
        return resource == info.resource
    return resource == "*" and subresource == info.subresource


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; an empty criterion holds for every request."""

    level: Level
    users: tuple[str, ...] = ()
    user_groups: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resources: tuple[GroupResources, ...] = ()
    namespaces: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    omit_stages: frozenset[str] = frozenset()
    omit_managed_fields: bool | None = None

    def match(self, info: RequestInfo, user: User) -> bool:
        """Whether the rule is about the request."""
        if self.users and user.name not in self.users:
            return False
        if self.user_groups and not set(self.user_groups).intersection(user.groups):
            return False
        if self.verbs and info.verb not in self.verbs:
            return False
        if self.resources or self.namespaces:
            return self._is_of_resource(info)
        return not self.paths or self._is_of_path(info)

    def _is_of_resource(self, info: RequestInfo) -> bool:
        if not info.is_resource:
            return False
        if self.namespaces and info.namespace not in self.namespaces:
            return False
        return not self.resources or any(one.match(info) for one in self.resources)

    def _is_of_path(self, info: RequestInfo) -> bool:
        return not info.is_resource and any(_path_matches(path, info.path) for path in self.paths)


def _path_matches(wanted: str, path: str) -> bool:
    if wanted.endswith("*"):
        return path.startswith(wanted.rstrip("*"))
    return wanted == path


@dataclass(frozen=True, slots=True)
class Detail:
    """What is recorded of one request."""

    level: Level
    omit_stages: frozenset[str] = frozenset()
    omit_managed_fields: bool = False


NOTHING = Detail(Level.NONE)


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in order, and what holds for all of them."""

    rules: Sequence[Rule]
    omit_stages: frozenset[str] = frozenset()
    omit_managed_fields: bool = False

    def detail(self, info: RequestInfo, user: User) -> Detail:
        """Say what is recorded of a request."""
        for rule in self.rules:
            if rule.match(info, user):
                omits = rule.omit_managed_fields
                return Detail(
                    rule.level,
                    self.omit_stages | rule.omit_stages,
                    self.omit_managed_fields if omits is None else omits,
                )
        return NOTHING
