"""A write of a job's status, as the rules about it ask: what is so, what was, what changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from control_plane.api.objects import find_condition
from control_plane.api.semantics import semantically_equal

if TYPE_CHECKING:
    from control_plane.api.objects import Object


class JobStatusChange(NamedTuple):
    """A Job as it would be, and as it is stored."""

    new: Object
    old: Object

    @property
    def spec(self) -> Object:
        """The spec, which such a write leaves alone."""
        return self.new.get("spec") or {}

    @property
    def status(self) -> Object:
        """The status as it would be."""
        return self.new.get("status") or {}

    @property
    def stored(self) -> Object:
        """The status as it is stored."""
        return self.old.get("status") or {}

    @property
    def is_indexed(self) -> bool:
        """Whether each pod has an index."""
        return self.spec.get("completionMode") == "Indexed"

    @property
    def is_finished(self) -> bool:
        """Whether the job would be complete or failed."""
        return self.has("Complete") or self.has("Failed")

    @property
    def finishes(self) -> bool:
        """Whether the job would be finished and was not."""
        return self.is_finished and not (self.had("Complete") or self.had("Failed"))

    def has(self, condition: str) -> bool:
        """Tell whether a condition would be True."""
        return _is_true(self.new, condition)

    def had(self, condition: str) -> bool:
        """Tell whether a condition is True in the store."""
        return _is_true(self.old, condition)

    def flipped(self, condition: str) -> bool:
        """Tell whether a condition becomes True, or stops being so."""
        return self.has(condition) != self.had(condition)

    def changed(self, *fields: str) -> bool:
        """Tell whether any of these fields of the status changes."""
        return any(
            not semantically_equal(self.status.get(field), self.stored.get(field))
            for field in fields
        )


def _is_true(job: Object, condition: str) -> bool:
    return (find_condition(job, condition) or {}).get("status") == "True"
