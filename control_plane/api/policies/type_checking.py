"""Type checking: what a policy's expressions get wrong about the kinds that it is about.

Only rules that name their groups, versions and resources are looked at, and at most ten kinds.
What is found is written into the policy's status and decides nothing. Source: the type checker of
validating admission policies, v1.35.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from control_plane.api.cel.admission import policy_environment, with_variables
from control_plane.api.cel.definitions import type_of_kind
from control_plane.api.cel.errors import CompileError
from control_plane.api.cel.types import DYN, Type
from control_plane.api.policies.compiled import compile_variables

if TYPE_CHECKING:
    from control_plane.api.cel import Environment
    from control_plane.api.objects import Object

MAX_KINDS: Final = 10
_PREFIX: Final = "compilation failed: "


class Kind(NamedTuple):
    """A kind of a group and version."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        """The group and version as objects have them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.api_version}, Kind={self.kind}"


KindOf = Callable[[str, str, str], str | None]
TypeOf = Callable[[Kind], Type | None]


def native_type(kind: Kind) -> Type | None:
    """Return the type of a kind of Kubernetes' own; None for others."""
    return type_of_kind(kind.api_version, kind.kind)


def kinds_of(policy: Object, kind_of: KindOf) -> list[Kind]:
    """Return the kinds that a policy names; `kind_of` knows that of (group, version, resource)."""
    constraints = (policy.get("spec") or {}).get("matchConstraints") or {}
    found: set[Kind] = set()
    for rule in constraints.get("resourceRules") or ():
        for group, version, resource in _literal(rule):
            kind = kind_of(group, version, resource)
            if kind is not None:
                found.add(Kind(group, version, kind))
    return sorted(found)[:MAX_KINDS]


def group_versions_of(policy: Object) -> set[tuple[str, str]]:
    """Return the groups and versions that a policy names, that of its params among them."""
    spec = policy.get("spec") or {}
    rules = (spec.get("matchConstraints") or {}).get("resourceRules") or ()
    found = {(group, version) for rule in rules for group, version, _ in _literal(rule)}
    param = spec.get("paramKind")
    if param is not None:
        group, _, version = (param.get("apiVersion") or "").rpartition("/")
        found.add((group, version))
    return found


def _literal(rule: Object) -> Iterator[tuple[str, str, str]]:
    groups, versions = rule.get("apiGroups") or (), rule.get("apiVersions") or ()
    resources = rule.get("resources") or ()
    if "*" in groups or "*" in versions or any(one in ("*", "*/*") for one in resources):
        return
    plain = [one for one in resources if "/" not in one and one != "*"]
    yield from itertools.product(groups, versions, plain)


def expression_warnings(
    policy: Object, kind_of: KindOf, type_of: TypeOf = native_type
) -> list[Object]:
    """Return status.typeChecking.expressionWarnings; kinds whose type is unknown are left out."""
    spec = policy.get("spec") or {}
    typed = [(kind, type_of(kind)) for kind in kinds_of(policy, kind_of)]
    known = [(kind, found) for kind, found in typed if found is not None]
    environments = [(kind, _environment(spec, found, type_of)) for kind, found in known]
    warnings = []
    for index, validation in enumerate(spec.get("validations") or ()):
        for field in ("expression", "messageExpression"):
            text = (validation.get(field) or "").strip()
            warning = "\n".join(_mistakes(text, environments)) if text else ""
            if warning:
                where = f"spec.validations[{index}].{field}"
                warnings.append({"fieldRef": where, "warning": warning})
    return warnings


def _environment(spec: Object, found: Type, type_of: TypeOf) -> Environment:
    param = spec.get("paramKind")
    base = policy_environment(has_params=param is not None)
    declared = {"object": found, "oldObject": found}
    if param is not None:
        group, _, version = (param.get("apiVersion") or "").rpartition("/")
        declared["params"] = type_of(Kind(group, version, param.get("kind") or "")) or DYN
    environment = base.extended(declared)
    _, types = compile_variables(spec, environment)
    return with_variables(environment, types)


def _mistakes(text: str, environments: Iterable[tuple[Kind, Environment]]) -> Iterator[str]:
    for kind, environment in environments:
        try:
            environment.compile(text)
        except CompileError as error:
            yield f"{kind}: {str(error).removeprefix(_PREFIX)}"
