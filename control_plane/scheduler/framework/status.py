"""What a plugin answers when it does not simply agree.

Plugins answer None for success; everything else is a `Status` that names the plugin and its
reasons. Reasons end up, counted over the nodes, in the message of the pod's PodScheduled condition,
so their texts are upstream's.
"""

import enum
from dataclasses import dataclass


class Code(enum.Enum):
    """How a plugin rejected a pod."""

    ERROR = "error"
    """Something broke; the pod is retried after its back-off, whatever happens in the cluster."""
    UNSCHEDULABLE = "unschedulable"
    """Does not fit now; evicting pods could help."""
    UNRESOLVABLE = "unschedulable and unresolvable"
    """Does not fit, and evicting pods would not change that."""


@dataclass(frozen=True, slots=True)
class Status:
    """One plugin's refusal.

    `reasons` has at least one entry, in the order the plugin found them.
    """

    code: Code
    plugin: str
    reasons: tuple[str, ...]

    @property
    def message(self) -> str:
        """All reasons as one line."""
        return ", ".join(self.reasons)


def unschedulable(plugin: str, *reasons: str) -> Status:
    """Refuse for a reason that evicting other pods could remove."""
    return Status(Code.UNSCHEDULABLE, plugin, reasons)


def unresolvable(plugin: str, *reasons: str) -> Status:
    """Refuse for a reason that evicting other pods cannot remove."""
    return Status(Code.UNRESOLVABLE, plugin, reasons)


def broken(plugin: str, *reasons: str) -> Status:
    """Refuse because the plugin could not decide."""
    return Status(Code.ERROR, plugin, reasons)
