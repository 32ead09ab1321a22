"""What is deprecated or doubtful in a pod, and in the template of one.

Called by the warnings of pods and of everything with a pod template. Paths begin with `prefix`:
"" for a pod, "spec.template." for a template. Source: v1.35 pod warnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.go_syntax import quote
from control_plane.api.objects import annotations_of
from control_plane.api.warnings.addresses import warn_of_address
from control_plane.api.warnings.containers import (
    containers_of,
    warn_of_environment,
    warn_of_overhead,
    warn_of_ports,
    warn_of_resources,
)
from control_plane.api.warnings.node_labels import DEPRECATED_LABELS, warn_of_term, warn_of_terms
from control_plane.api.warnings.pod_volumes import warn_of_overlaps, warn_of_sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.objects import Object

_SYSCTLS: Final = 'non-functional in v1.11+; use the "sysctls" field instead'
DEPRECATED_ANNOTATIONS: Final[Mapping[str, str]] = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": _SYSCTLS,
    "security.alpha.kubernetes.io/unsafe-sysctls": _SYSCTLS,
}
_SECCOMP: Final = "seccomp.security.alpha.kubernetes.io/pod"
_CONTAINER_SECCOMP: Final = "container.seccomp.security.alpha.kubernetes.io/"
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_PROFILES: Final = (_SECCOMP, _CONTAINER_SECCOMP, _APPARMOR)
_NO_SECCOMP: Final = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_NO_APPARMOR: Final = 'deprecated since v1.30; use the "appArmorProfile" field instead'
_NO_SELECTOR: Final = "a null labelSelector results in matching no pod"
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"


def warn_of_pod(pod: Object, prefix: str = "") -> Iterator[str]:
    """Warn of a pod, or of a template at `prefix`."""
    spec, path = pod.get("spec") or {}, f"{prefix}spec"
    containers = containers_of(spec, path)
    yield from _warn_of_places(spec, path)
    if (pod.get("metadata") or {}).get("annotations"):
        yield from _warn_of_annotations(pod, prefix)
    volumes = spec.get("volumes") or []
    for index, volume in enumerate(volumes):
        yield from warn_of_sources(volume, f"{path}.volumes[{index}]")
    yield from warn_of_overlaps(volumes)
    yield from _warn_of_lists(spec, path)
    yield from warn_of_overhead(spec, path)
    for where, container in containers:
        yield from warn_of_resources(container, where)
        yield from warn_of_environment(container, where)
    yield from warn_of_ports(containers)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield (
            f"{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and "
            "will be treated as 1"
        )
    yield from _warn_of_pod_affinity(spec.get("affinity") or {}, f"{path}.affinity")
    yield from _warn_of_addresses(spec, path)


def _warn_of_places(spec: Object, path: str) -> Iterator[str]:
    """Warn of deprecated labels of nodes wherever a pod says where it wants to be."""
    for key in sorted(spec.get("nodeSelector") or ()):
        if key in DEPRECATED_LABELS:
            yield f"{path}.nodeSelector[{key}]: {DEPRECATED_LABELS[key]}"
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    where = f"{path}.affinity.nodeAffinity"
    terms = (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms")
    yield from warn_of_terms(terms, f"{where}.{_REQUIRED}.nodeSelectorTerms")
    for index, term in enumerate(affinity.get(_PREFERRED) or ()):
        place = f"{where}.{_PREFERRED}[{index}].preference"
        yield from warn_of_term(term.get("preference") or {}, place, checks_values=True)
    for index, spread in enumerate(spec.get("topologySpreadConstraints") or ()):
        place, key = f"{path}.topologySpreadConstraints[{index}]", spread.get("topologyKey") or ""
        if key in DEPRECATED_LABELS:
            yield f"{place}.topologyKey: {key} is {DEPRECATED_LABELS[key]}"
        if spread.get("labelSelector") is None:
            yield f"{place}.labelSelector: {_NO_SELECTOR}"


def _warn_of_annotations(pod: Object, prefix: str) -> Iterator[str]:
    annotations, spec = annotations_of(pod), pod.get("spec") or {}
    path = f"{prefix}metadata.annotations"
    for key, text in DEPRECATED_ANNOTATIONS.items():
        if key in annotations:
            yield f"{path}[{key}]: {text}"
    if not any(key.startswith(_PROFILES) for key in annotations):
        return
    if _SECCOMP in annotations and not _has(spec, "seccompProfile"):
        yield f"{path}[{_SECCOMP}]: {_NO_SECCOMP}"
    for _, container in containers_of(spec, ""):
        name = container.get("name") or ""
        key = f"{_CONTAINER_SECCOMP}{name}"
        if key in annotations and not _has(container, "seccompProfile"):
            yield f"{path}[{key}]: {_NO_SECCOMP}"
        key = f"{_APPARMOR}{name}"
        fields = (_has(container, "appArmorProfile"), _has(spec, "appArmorProfile"))
        if key in annotations and not any(fields):
            yield f"{path}[{key}]: {_NO_APPARMOR}"


def _has(owner: Object, field: str) -> bool:
    return (owner.get("securityContext") or {}).get(field) is not None


def _warn_of_lists(spec: Object, path: str) -> Iterator[str]:
    """Warn of aliases and pull secrets that are there twice, or have no name."""
    seen: set[str] = set()
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        address = alias.get("ip") or ""
        if address in seen:
            yield f"{path}.hostAliases[{index}].ip: duplicate ip {quote(address)}"
        seen.add(address)
    names = [secret.get("name") or "" for secret in spec.get("imagePullSecrets") or ()]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"{path}.imagePullSecrets[{index}].name: duplicate name {quote(name)}"
    for index, name in enumerate(names):
        if not name:
            yield f"{path}.imagePullSecrets[{index}].name: invalid empty name {quote(name)}"


def _warn_of_pod_affinity(affinity: Object, path: str) -> Iterator[str]:
    for field in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(field) or {}
        for index, term in enumerate(terms.get(_REQUIRED) or ()):
            if term.get("labelSelector") is None:
                yield f"{path}.{field}.{_REQUIRED}[{index}].labelSelector: {_NO_SELECTOR}"
        for index, weighted in enumerate(terms.get(_PREFERRED) or ()):
            if (weighted.get("podAffinityTerm") or {}).get("labelSelector") is None:
                place = f"{path}.{field}.{_PREFERRED}[{index}].podAffinityTerm"
                yield f"{place}.labelSelector: {_NO_SELECTOR}"


def _warn_of_addresses(spec: Object, path: str) -> Iterator[str]:
    servers = (spec.get("dnsConfig") or {}).get("nameservers") or ()
    for index, server in enumerate(servers):
        yield from warn_of_address(server, f"{path}.dnsConfig.nameservers[{index}]")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        yield from warn_of_address(alias.get("ip") or "", f"{path}.hostAliases[{index}].ip")
