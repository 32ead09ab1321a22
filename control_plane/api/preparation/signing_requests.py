"""Preparation of certificate signing requests: who may change what through which endpoint.

Called by strategies.py; admission sets who asks. Source: v1.35 certificates strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import deep_copy
from control_plane.api.preparation.strategy import keep

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_APPROVAL: Final = ("Approved", "Denied")


def create_signing_request(request: Object, _now: str) -> None:
    """Start undecided."""
    request["status"] = {}


def update_signing_request(new: Object, old: Object, _now: str) -> None:
    """Keep all but metadata."""
    keep(new, old, "spec")
    keep(new, old, "status")


def update_approval(new: Object, old: Object, now: str) -> None:
    """Take the conditions alone."""
    conditions = (new.get("status") or {}).get("conditions")
    update_signing_request(new, old, now)
    if conditions is not None:
        new.setdefault("status", {})["conditions"] = conditions
    _set_times(new, old, now)


def update_status(new: Object, old: Object, now: str) -> None:
    """Take the signer's part; an approval stays as it was stored."""
    keep(new, old, "spec")
    status = new.setdefault("status", {})
    stored = [c for c in _conditions(old) if c.get("type") in _APPROVAL]
    given = [c for c in _conditions(new) if c.get("type") in _APPROVAL]
    if stored and len(given) == len(stored):
        others = [c for c in _conditions(new) if c.get("type") not in _APPROVAL]
        status["conditions"] = [*deep_copy({"kept": stored})["kept"], *others]
    _set_times(new, old, now)


def _conditions(request: Object) -> list[Object]:
    return (request.get("status") or {}).get("conditions") or []


def _set_times(new: Object, old: Object, now: str) -> None:
    """Fill in when conditions were updated, and when they became what they are."""
    before = {(c.get("type"), c.get("status")): c for c in _conditions(old)}
    for condition in _conditions(new):
        if not condition.get("lastUpdateTime"):
            condition["lastUpdateTime"] = now
        same = before.get((condition.get("type"), condition.get("status"))) or {}
        if not condition.get("lastTransitionTime"):
            condition["lastTransitionTime"] = same.get("lastTransitionTime") or now
