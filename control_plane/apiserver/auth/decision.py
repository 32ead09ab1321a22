"""What an authorizer says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """What authorization says; `denied` where it says no and nobody else may say yes."""

    allowed: bool
    denied: bool = False
    reason: str = ""
    error: str = ""


ALLOWED, NO_OPINION = Decision(allowed=True), Decision(allowed=False)
