"""Which FlowSchema a request belongs to. Pure.

A schema's rules are compiled once; which of them concern a user is found once per user. A
Classifier is replaced as a whole when a schema changes. Source: the matching rules of FlowSchemas,
v1.35.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from control_plane.api.flow_bootstrap import CATCH_ALL
from control_plane.api.objects import Object, dig, name_of, uid_of
from control_plane.apiserver.auth.authz import Attributes
from control_plane.apiserver.auth.user import User

USERS = 1_024
REQUESTS = 4_096
BY_USER = "ByUser"
BY_NAMESPACE = "ByNamespace"
_ACCOUNT = "system:serviceaccount:"

# None stands for "*": whatever it is.
Allowed = frozenset[str] | None
Subject = Callable[[User], bool]


@dataclass(frozen=True, slots=True)
class ResourceRule:
    """Requests for resources that a schema takes."""

    verbs: Allowed
    groups: Allowed
    resources: Allowed
    namespaces: Allowed
    cluster_scope: bool

    def takes(self, asked: Attributes) -> bool:
        """Whether it takes this request."""
        return (
            (self.verbs is None or asked.verb in self.verbs)
            and (self.resources is None or asked.full_resource in self.resources)
            and (self.groups is None or asked.group in self.groups)
            and self._takes_place(asked.namespace)
        )

    def _takes_place(self, namespace: str) -> bool:
        if not namespace:
            return self.cluster_scope
        return self.namespaces is None or namespace in self.namespaces


@dataclass(frozen=True, slots=True)
class UrlRule:
    """Requests for other paths that a schema takes: `paths` and all below `prefixes`."""

    verbs: Allowed
    paths: Allowed
    prefixes: tuple[str, ...]

    def takes(self, asked: Attributes) -> bool:
        """Whether it takes this request."""
        if self.verbs is not None and asked.verb not in self.verbs:
            return False
        return (
            self.paths is None or asked.path in self.paths or asked.path.startswith(self.prefixes)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """Somebody's requests: any of the subjects, and any of the rules."""

    subjects: tuple[Subject, ...]
    on_resources: tuple[ResourceRule, ...]
    on_urls: tuple[UrlRule, ...]

    def concerns(self, user: User) -> bool:
        """Whether the user is one of the subjects."""
        return any(subject(user) for subject in self.subjects)

    def takes(self, asked: Attributes) -> bool:
        """Whether it takes this request of one of its subjects."""
        rules: Iterable[ResourceRule | UrlRule]
        rules = self.on_resources if asked.resource else self.on_urls
        return any(rule.takes(asked) for rule in rules)


@dataclass(frozen=True, slots=True)
class FlowSchema:
    """A compiled FlowSchema; `method` is "" where all of its requests are one flow."""

    name: str
    uid: str
    precedence: int
    level: str
    method: str
    rules: tuple[Rule, ...] = field(compare=False)

    def distinguisher(self, user: User, asked: Attributes) -> str:
        """What tells this request's flow from the schema's others."""
        if self.method == BY_USER:
            return user.name
        return asked.namespace if self.method == BY_NAMESPACE else ""


class Classifier:
    """Finds the schema of a request among `schemas`, which are in the order of matching."""

    def __init__(self, schemas: Sequence[FlowSchema]) -> None:
        """The schemas must have catch-all among them, which takes what no other does."""
        self.schemas = tuple(schemas)
        self._rest = next(schema for schema in schemas if schema.name == CATCH_ALL)
        self._remembered: dict[tuple[str, tuple[str, ...], Attributes], FlowSchema] = {}
        self._of_user: dict[tuple[str, tuple[str, ...]], tuple[tuple[FlowSchema, Rule], ...]] = {}

    def classify(self, user: User, asked: Attributes) -> FlowSchema:
        """The first schema that takes the request."""
        key = (user.name, user.groups, asked)
        found = self._remembered.get(key)
        if found is None:
            found = self._found(user, asked)
            if len(self._remembered) >= REQUESTS:
                self._remembered.clear()
            self._remembered[key] = found
        return found

    def _found(self, user: User, asked: Attributes) -> FlowSchema:
        for schema, rule in self._rules_for(user):
            if rule.takes(asked):
                return schema
        return self._rest

    def _rules_for(self, user: User) -> tuple[tuple[FlowSchema, Rule], ...]:
        key = (user.name, user.groups)
        found = self._of_user.get(key)
        if found is None:
            found = tuple(
                (schema, rule)
                for schema in self.schemas
                for rule in schema.rules
                if rule.concerns(user)
            )
            if len(self._of_user) >= USERS:
                self._of_user.clear()
            self._of_user[key] = found
        return found


def compiled(obj: Object) -> FlowSchema:
    """The schema of an object that has been validated and defaulted."""
    spec = obj["spec"]
    return FlowSchema(
        name_of(obj),
        uid_of(obj),
        spec["matchingPrecedence"],
        spec["priorityLevelConfiguration"]["name"],
        dig(spec, "distinguisherMethod", "type", default=""),
        tuple(_rule(rule) for rule in spec.get("rules") or ()),
    )


def in_order(schemas: Iterable[FlowSchema]) -> list[FlowSchema]:
    """The schemas by precedence, those of one precedence by name."""
    return sorted(schemas, key=lambda schema: (schema.precedence, schema.name))


def _rule(rule: Object) -> Rule:
    return Rule(
        tuple(_subject(subject) for subject in rule.get("subjects") or ()),
        tuple(_resource_rule(part) for part in rule.get("resourceRules") or ()),
        tuple(_url_rule(part) for part in rule.get("nonResourceRules") or ()),
    )


def _subject(subject: Object) -> Subject:
    kind = subject["kind"]
    if kind == "User":
        return _named(subject["user"]["name"])
    if kind == "Group":
        return _member(subject["group"]["name"])
    account = subject["serviceAccount"]
    return _account(account["namespace"], account["name"])


def _named(name: str) -> Subject:
    return lambda user: name in ("*", user.name)


def _member(group: str) -> Subject:
    return lambda user: group == "*" or group in user.groups


def _account(namespace: str, name: str) -> Subject:
    prefix = f"{_ACCOUNT}{namespace}:"
    if name == "*":
        return lambda user: user.name.startswith(prefix)
    return _named(prefix + name)


def _allowed(values: Sequence[str] | None) -> Allowed:
    return None if values == ["*"] else frozenset(values or ())


def _resource_rule(rule: Object) -> ResourceRule:
    return ResourceRule(
        _allowed(rule.get("verbs")),
        _allowed(rule.get("apiGroups")),
        _allowed(rule.get("resources")),
        _allowed(rule.get("namespaces")),
        bool(rule.get("clusterScope")),
    )


def _url_rule(rule: Object) -> UrlRule:
    urls = rule.get("nonResourceURLs") or []
    prefixes = tuple(f"{url.removesuffix('*').removesuffix('/')}/" for url in urls)
    return UrlRule(_allowed(rule.get("verbs")), _allowed(urls), prefixes)
