"""Counting probe outcomes: a result changes after enough equal outcomes in a row. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from node.kubelet.probes.base import Result

INITIAL: dict[str, Result] = {
    "livenessProbe": "success",
    "readinessProbe": "failure",
    "startupProbe": "unknown",
}


@dataclass(frozen=True, slots=True)
class ProbeState:
    """The published result, and how many equal outcomes came last."""

    result: Result
    streak_success: bool = False
    streak: int = 0

    def observe(self, success: bool, probe: Object) -> ProbeState:
        """Return the state after one more outcome."""
        streak = self.streak + 1 if self.streak and success == self.streak_success else 1
        state = replace(self, streak_success=success, streak=streak)
        if streak < _threshold(success, probe):
            return state
        return replace(state, result="success" if success else "failure")


def is_held(kind: str, state: ProbeState) -> bool:
    """Return whether this probe is over until the container is a new one."""
    if kind == "livenessProbe":
        return state.result == "failure"
    return kind == "startupProbe" and state.result != "unknown"


def _threshold(success: bool, probe: Object) -> int:
    if success:
        return int(probe.get("successThreshold") or 1)
    return int(probe.get("failureThreshold") or 3)
