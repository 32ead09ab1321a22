"""The five conditions of a namespace that is being deleted. Pure.

All five are always present, in this order; True means that something is in the way.
Source: kubernetes pkg/controller/namespace/deletion/status_condition_utils.go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from control_plane.api.objects import Object


@dataclass(slots=True)
class Progress:
    """What one pass over a namespace's content found.

    `failures` are error texts; `remaining` counts objects by "resource.group" ("pods." for the core
    group), `finalizers` by finalizer. `estimate` is the seconds until it is worth looking again.
    """

    failures: list[str] = field(default_factory=list)
    remaining: dict[str, int] = field(default_factory=dict)
    finalizers: dict[str, int] = field(default_factory=dict)
    estimate: float = 0.0

    @property
    def total_remaining(self) -> int:
        """The number of objects still there."""
        return sum(self.remaining.values())


@dataclass(frozen=True, slots=True)
class _Row:
    """A condition: its type, reason and message when all is well, and reason when not."""

    kind: str
    fine: str
    fine_message: str
    bad: str


_ROWS = (
    _Row(
        "NamespaceDeletionDiscoveryFailure",
        "ResourcesDiscovered",
        "All resources successfully discovered",
        "DiscoveryFailed",
    ),
    _Row(
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
        "GroupVersionParsingFailed",
    ),
    _Row(
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
        "ContentDeletionFailed",
    ),
    _Row(
        "NamespaceContentRemaining",
        "ContentRemoved",
        "All content successfully removed",
        "SomeResourcesRemain",
    ),
    _Row(
        "NamespaceFinalizersRemaining",
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
        "SomeFinalizersRemain",
    ),
)


def problems_of(progress: Progress) -> list[str]:
    """Return a message for each of the five conditions, "" where all is well.

    The first two, about discovery, are always well here: the resources are a table of our own.
    """
    return ["", "", _failure(progress), _remaining(progress), _finalizers(progress)]


def _failure(progress: Progress) -> str:
    if not progress.failures:
        return ""
    joined = ", ".join(progress.failures)
    count = len(progress.failures)
    return f"Failed to delete all resource types, {count} remaining: {joined}"


def _remaining(progress: Progress) -> str:
    found = _listed(progress.remaining, "has")
    return f"Some resources are remaining: {found}" if found else ""


def _finalizers(progress: Progress) -> str:
    found = _listed(progress.finalizers, "in")
    return f"Some content in the namespace has finalizers remaining: {found}" if found else ""


def _listed(counts: Mapping[str, int], word: str) -> str:
    return ", ".join(
        f"{name} {word} {count} resource instances"
        for name, count in sorted(counts.items())
        if count
    )


def updated(old: Sequence[Object], progress: Progress, stamp: str) -> list[Object]:
    """Return the conditions after this pass; a time moves only when its status changes.

    Conditions of other types stay; missing ones of the five are appended in their order.
    """
    known = {entry["type"]: entry for entry in old}
    for row, problem in zip(_ROWS, problems_of(progress), strict=True):
        known[row.kind] = _merged(known.get(row.kind), row, problem, stamp)
    return list(known.values())


def _merged(old: Object | None, row: _Row, problem: str, stamp: str) -> Object:
    status = "True" if problem else "False"
    same = old is not None and old["status"] == status
    return {
        "type": row.kind,
        "status": status,
        "lastTransitionTime": old["lastTransitionTime"] if old and same else stamp,
        "reason": row.bad if problem else row.fine,
        "message": problem or row.fine_message,
    }
