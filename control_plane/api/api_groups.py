"""The order of API groups and versions in discovery, by upstream's APIService priorities.

Source: the API server's and aggregator's priority tables, v1.35.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# A group's priority, then those of its versions that are not served in version order.
GROUP_PRIORITIES: Final[dict[str, int]] = {
    "": 18000,
    "apiregistration.k8s.io": 20000,
    "apps": 17800,
    "events.k8s.io": 17750,
    "authentication.k8s.io": 17700,
    "authorization.k8s.io": 17600,
    "autoscaling": 17500,
    "batch": 17400,
    "certificates.k8s.io": 17300,
    "networking.k8s.io": 17200,
    "policy": 17100,
    "rbac.authorization.k8s.io": 17000,
    "storage.k8s.io": 16800,
    "apiextensions.k8s.io": 16700,
    "admissionregistration.k8s.io": 16700,
    "scheduling.k8s.io": 16600,
    "coordination.k8s.io": 16500,
    "node.k8s.io": 16300,
    "discovery.k8s.io": 16200,
    "resource.k8s.io": 16200,
    "flowcontrol.apiserver.k8s.io": 16100,
    "internal.apiserver.k8s.io": 16000,
    "storagemigration.k8s.io": 15800,
}
# The priorities of versions that do not have the usual one.
VERSION_PRIORITIES: Final[dict[tuple[str, str], int]] = {
    ("", "v1"): 1,
    ("autoscaling", "v2"): 30,
    ("flowcontrol.apiserver.k8s.io", "v1"): 21,
    ("resource.k8s.io", "v1"): 20,
}
VERSION_PRIORITY: Final = 15
CUSTOM_GROUP_PRIORITY: Final = 1000

_VERSION: Final = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?", re.ASCII)
_STABILITY: Final = {"alpha": 0, "beta": 1, None: 2}


def ordered_groups(groups: Iterable[str]) -> list[str]:
    """Return the groups by falling priority, equal ones by name; unknown groups are custom ones."""
    return sorted(
        set(groups), key=lambda group: (-GROUP_PRIORITIES.get(group, CUSTOM_GROUP_PRIORITY), group)
    )


def group_priority(group: str) -> int:
    """Return the groupPriorityMinimum of a group; unknown groups are custom ones."""
    return GROUP_PRIORITIES.get(group, CUSTOM_GROUP_PRIORITY)


def version_priority(group: str, version: str) -> int:
    """Return the versionPriority of a built-in group's version."""
    return VERSION_PRIORITIES.get((group, version), VERSION_PRIORITY)


def ordered_versions(versions: Iterable[str]) -> list[str]:
    """Return versions as clients prefer them: stable, beta, alpha; then the larger number first.

    Anything else ("foo1") comes last, in the order of the alphabet.
    """
    return sorted(set(versions), key=_version_rank)


def _version_rank(version: str) -> tuple[int, int, int, int, str]:
    match = _VERSION.fullmatch(version)
    if match is None:
        return (1, 0, 0, 0, version)
    major, stability, minor = match.groups()
    return (0, -_STABILITY[stability], -int(major), -int(minor or 0), version)
