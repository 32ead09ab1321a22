"""What plugins remember between the extension points of one scheduling cycle.

One `CycleState` lives for one attempt of one pod. A plugin writes under its own name in pre_filter
or pre_score and reads it back in filter or score; nobody else reads it. The framework keeps here
which plugins asked to be skipped.
"""

from typing import Any


class CycleState:
    """Values by plugin name, and the plugins with nothing to filter or to score for this pod."""

    __slots__ = ("_values", "skip_filter", "skip_score")

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self.skip_filter: set[str] = set()
        self.skip_score: set[str] = set()

    def write(self, plugin: str, value: Any) -> None:
        """Remember `value` for the later points of the same plugin; replaces an earlier one."""
        self._values[plugin] = value

    def read(self, plugin: str) -> Any:
        """Return what the plugin wrote in this cycle; KeyError when it wrote nothing."""
        return self._values[plugin]
