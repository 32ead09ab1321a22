"""Which objects of a resource a list or watch is about: a place and two selectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from control_plane.apiserver.storage.entry import Entry


class Selector(Protocol):
    """Anything that says yes or no to a mapping of strings: label and field selectors both do."""

    def matches(self, values: Mapping[str, str], /) -> bool:
        """Whether `values` is selected."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """A namespace ("" is all of them), a name ("" is any), and selectors (None selects all)."""

    namespace: str = ""
    name: str = ""
    labels: Selector | None = None
    fields: Selector | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether a selector takes part, so that counting keys does not count objects."""
        return self.labels is not None or self.fields is not None

    def covers(self, entry: Entry) -> bool:
        """Whether `entry` lies in the place, whatever its content."""
        return (not self.namespace or entry.namespace == self.namespace) and (
            not self.name or entry.name == self.name
        )

    def matches(self, entry: Entry) -> bool:
        """Whether the content of `entry` is selected."""
        return (self.labels is None or self.labels.matches(entry.labels)) and (
            self.fields is None or self.fields.matches(entry.fields)
        )

    def selects(self, entry: Entry) -> bool:
        """Whether `entry` belongs to the list."""
        return self.covers(entry) and self.matches(entry)


EVERYTHING = Selection()
