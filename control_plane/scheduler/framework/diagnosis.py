"""Why no node took a pod, in the words of its condition and of the FailedScheduling event."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from control_plane.scheduler.framework.status import Code, Status

NO_NODES = "no nodes available to schedule pods"
EVENT_NOTE_LIMIT = 1024
"""Longest note of an event, in bytes."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The outcome of a cycle that found no node.

    `node_statuses` holds every node that was tried, by name; `pre_filter` is set instead when the
    pod was refused before any node was looked at. `post_filter` is what the plugins that make room
    had to say, `nominated_node` the node they put forward.
    """

    node_count: int
    node_statuses: Mapping[str, Status] = field(default_factory=dict)
    pre_filter: Status | None = None
    post_filter: str = ""
    nominated_node: str = ""

    @property
    def rejectors(self) -> frozenset[str]:
        """The plugins whose events should wake the pod.

        Empty when there was no node to ask about.
        """
        if self.pre_filter:
            return frozenset((self.pre_filter.plugin,))
        return frozenset(status.plugin for status in self.node_statuses.values())

    @property
    def is_error(self) -> bool:
        """Tell whether a plugin failed to decide, as against deciding no."""
        statuses = (self.pre_filter, *self.node_statuses.values())
        return any(status and status.code is Code.ERROR for status in statuses)

    @property
    def message(self) -> str:
        """The full text, e.g.

        `0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.`.
        """
        if self.node_count == 0:
            return NO_NODES
        text = f"0/{self.node_count} nodes are available:"
        if self.pre_filter:
            text += f" {self.pre_filter.message}."
        elif self.node_statuses:
            text += f" {_histogram(self.node_statuses)}."
        return f"{text} {self.post_filter}" if self.post_filter else text


def _histogram(statuses: Mapping[str, Status]) -> str:
    """Count each reason over the nodes.

    Sorted as text, as upstream does, so "10 x" comes before "2 y".
    """
    reasons = Counter(reason for status in statuses.values() for reason in status.reasons)
    return ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))


def event_note(message: str) -> str:
    """Cut a message to what an event may carry."""
    raw = message.encode()
    if len(raw) <= EVENT_NOTE_LIMIT:
        return message
    suffix = " ..."
    return raw[: EVENT_NOTE_LIMIT - len(suffix)].decode(errors="ignore") + suffix
