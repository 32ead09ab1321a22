"""Rules of the lists of completed and failed indexes in a job's status.

Called by job_status.py. Source: v1.35 batch/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.index_list import count_indexes, first_overlap
from control_plane.api.validation.field_errors import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.validation.job_status_change import JobStatusChange

_COMPLETED, _FAILED = "status.completedIndexes", "status.failedIndexes"


def validate_status_indexes(change: JobStatusChange) -> Iterator[FieldError]:
    """Check both lists against the job's spec and each other."""
    completed = change.status.get("completedIndexes") or ""
    failed: str | None = change.status.get("failedIndexes")
    completions: int | None = change.spec.get("completions")
    limited = change.spec.get("backoffLimitPerIndex") is not None
    completed_changed = change.changed("completedIndexes")
    failed_changed = failed != change.stored.get("failedIndexes")  # no list is not an empty one
    if completed_changed:
        yield from _validate_form(_COMPLETED, completed, completions)
    if failed_changed and limited and failed is not None:
        yield from _validate_form(_FAILED, failed, completions)
    if completed_changed and completed and not change.is_indexed:
        detail = "cannot set non-empty completedIndexes when non-indexed completion mode"
        yield invalid(_COMPLETED, completed, detail)
    if failed_changed and failed is not None and not limited:
        detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        yield invalid(_FAILED, failed, detail)
    if (completed_changed or failed_changed) and failed and completions is not None:
        index = first_overlap(completed, failed, completions)
        if index is not None:
            detail = f"failedIndexes and completedIndexes overlap at index: {index}"
            yield invalid(_FAILED, failed, detail)


def _validate_form(path: str, text: str, completions: int | None) -> Iterator[FieldError]:
    if completions is None:
        return
    try:
        count_indexes(text, completions)
    except ValueError as error:
        yield invalid(path, text, f"error parsing {path.removeprefix('status.')}: {error}")
