"""What the server itself sets, keeps and clears on a write, before validation.

Public: STRATEGIES, Strategy, strategy_for, prepare_for_create, prepare_for_update,
clear_system_metadata. The halves of an object are kept apart here: the main endpoint keeps the
stored status, the status endpoint keeps the stored spec. Allocation (cluster IPs, node ports,
names, uids) is the API server's; the rules of who needs what are in service_rules.py.
"""

from __future__ import annotations

from control_plane.api.preparation.strategies import (
    STRATEGIES,
    prepare_for_create,
    prepare_for_update,
    strategy_for,
)
from control_plane.api.preparation.strategy import Strategy, clear_system_metadata

__all__ = [
    "STRATEGIES",
    "Strategy",
    "clear_system_metadata",
    "prepare_for_create",
    "prepare_for_update",
    "strategy_for",
]
