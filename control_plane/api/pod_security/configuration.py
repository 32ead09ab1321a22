"""PodSecurityConfiguration: what holds where a namespace says nothing, and who is exempt.

Part of the file of --admission-control-config-file. Source: pod-security.admission.config.k8s.io/v1
of pod-security-admission v1.35.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from control_plane.api.field_error import FieldError, duplicate, invalid, not_supported, required
from control_plane.api.go_syntax import quote
from control_plane.api.pod_security.policy import (
    LEVELS,
    PREFIX,
    Policy,
    Standard,
    minor_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KIND: Final = "PodSecurityConfiguration"
_GROUP: Final = "pod-security.admission.config.k8s.io"
API_VERSIONS: Final = tuple(f"{_GROUP}/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
_MODES: Final = ("enforce", "audit", "warn")
_EXEMPTIONS: Final = ("usernames", "namespaces", "runtimeClasses")


class PodSecurityConfiguration(NamedTuple):
    """The default policy, and the names of what is exempt."""

    defaults: Policy = Policy()
    usernames: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    runtime_classes: frozenset[str] = frozenset()

    def exemption(self, namespace: str, username: str, runtime_class: str = "") -> str:
        """Say what makes a pod exempt, as audit events do; "" for one that is not."""
        if namespace in self.namespaces:
            return "namespace"
        if username in self.usernames:
            return "user"
        return "runtimeClass" if runtime_class in self.runtime_classes else ""

    def warning(self, namespace: str, policy: Policy, labels: Mapping[str, str]) -> str:
        """Say of an exempt namespace that its labels are of no use; "" when they want nothing."""
        if policy in (Policy(), self.defaults):
            return ""
        wanted = ", ".join(
            f"{mode}={standard}"
            for mode, standard in zip(_MODES, policy[:3], strict=True)
            if standard.level != LEVELS[0] and _is_labelled(labels, mode)
        )
        shown = f"and the policy ({wanted}) will be ignored"
        return f"namespace {quote(namespace)} is exempt from Pod Security, {shown}"


def _is_labelled(labels: Mapping[str, str], mode: str) -> bool:
    return f"{PREFIX}{mode}" in labels or f"{PREFIX}{mode}-version" in labels


def configuration_of(document: Mapping[str, Any]) -> PodSecurityConfiguration:
    """Read one; ValueError of one line with all that is wrong with it."""
    errors = list(_errors(document))
    if errors:
        raise ValueError("; ".join(map(str, errors)))
    given = document.get("defaults") or {}
    exempt = document.get("exemptions") or {}
    return PodSecurityConfiguration(
        Policy(_standard(given, "enforce"), _standard(given, "audit"), _standard(given, "warn")),
        *(frozenset(exempt.get(field) or ()) for field in _EXEMPTIONS),
    )


def _standard(given: Mapping[str, Any], mode: str) -> Standard:
    minor = minor_of(given.get(f"{mode}-version") or "latest")
    assert minor is not None
    return Standard(given.get(mode) or LEVELS[0], minor)


def _errors(document: Mapping[str, Any]) -> Iterator[FieldError]:
    version, kind = document.get("apiVersion"), document.get("kind")
    if version not in API_VERSIONS:
        yield not_supported("apiVersion", version or "", list(API_VERSIONS))
    if kind != KIND:
        yield not_supported("kind", kind or "", [KIND])
    parts = {
        "defaults": (*_MODES, *(f"{mode}-version" for mode in _MODES)),
        "exemptions": _EXEMPTIONS,
    }
    for name in document.keys() - {"apiVersion", "kind", *parts}:
        yield invalid(str(name), document[name], "unknown field")
    for name, fields in parts.items():
        part = document.get(name) or {}
        if not isinstance(part, dict):
            yield invalid(name, part, "give a mapping")
            continue
        for field in part.keys() - set(fields):
            yield invalid(f"{name}.{field}", part[field], "unknown field")
        check = _default_errors if name == "defaults" else _exemption_errors
        yield from check(part)


def _default_errors(given: Mapping[str, Any]) -> Iterator[FieldError]:
    for mode in _MODES:
        level, version = given.get(mode), given.get(f"{mode}-version")
        if level and level not in LEVELS:
            text = f"must be one of {', '.join(LEVELS)}"
            yield invalid(f"defaults.{mode}", level, text)
        if version and (not isinstance(version, str) or minor_of(version) is None):
            yield invalid(f"defaults.{mode}-version", version, 'must be "latest" or "v1.x"')


def _exemption_errors(exempt: Mapping[str, Any]) -> Iterator[FieldError]:
    for field in _EXEMPTIONS:
        path, names = f"exemptions.{field}", exempt.get(field) or []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            yield invalid(path, names, "give a list of names")
            continue
        for index, name in enumerate(names):
            if not name:
                yield required(f"{path}[{index}]")
            elif name in names[:index]:
                yield duplicate(f"{path}[{index}]", name)
