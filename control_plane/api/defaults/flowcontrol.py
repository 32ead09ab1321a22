"""Defaults of flow control.

Called through the DEFAULTS table. Source: v1.35 flowcontrol/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.defaults.filling import fill_absent, fill_empty
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object

DEFAULT_PRECEDENCE = 1000
DEFAULT_SHARES = 30
DEFAULT_QUEUES = 64
DEFAULT_HAND_SIZE = 8
DEFAULT_QUEUE_LENGTH = 50


def default_flow_schema(flow_schema: Object) -> None:
    """Fill one FlowSchema in place."""
    for spec in parts(flow_schema, "spec"):
        fill_empty(spec, "matchingPrecedence", DEFAULT_PRECEDENCE)


def default_priority_level(level: Object) -> None:
    """Fill one PriorityLevelConfiguration in place."""
    for limited in parts(level, "spec", "limited"):
        fill_absent(limited, "nominalConcurrencyShares", DEFAULT_SHARES)
        fill_absent(limited, "lendablePercent", 0)
    for exempt in parts(level, "spec", "exempt"):
        fill_absent(exempt, "nominalConcurrencyShares", 0)
        fill_absent(exempt, "lendablePercent", 0)
    for queuing in parts(level, "spec", "limited", "limitResponse", "queuing"):
        fill_empty(queuing, "queues", DEFAULT_QUEUES)
        fill_empty(queuing, "handSize", DEFAULT_HAND_SIZE)
        fill_empty(queuing, "queueLengthLimit", DEFAULT_QUEUE_LENGTH)
