"""Rules of daemon sets.

Called through the VALIDATORS table. Source: v1.35 apps/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.internal_form import internal_form
from control_plane.api.objects import labels_of
from control_plane.api.validation.controlled_pods import (
    amount_of_share,
    selects,
    validate_controlled_template,
    validate_selector_kept,
    validate_share,
    validate_share_below_whole,
)
from control_plane.api.validation.field_errors import (
    invalid,
    non_negative,
    not_supported,
    required,
)
from control_plane.api.validation.labels import is_empty_selector, validate_selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_STRATEGY: Final = "spec.updateStrategy"
_COUNTS: Final = (
    "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady",
    "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable",
)  # fmt: skip


def validate_daemon_set(daemon_set: Object) -> Iterator[FieldError]:
    """Check a DaemonSet; without a selector only the mismatch with the template is reported."""
    spec = daemon_set.get("spec") or {}
    selector = spec.get("selector")
    yield from validate_selector(selector, "spec.selector")
    template = spec.get("template") or {}
    if selector is not None and is_empty_selector(selector):
        yield invalid("spec.selector", selector, "empty selector is invalid for daemonset")
    matches = selector is not None and selects(selector, labels_of(template))
    yield from validate_controlled_template(template, matches, "DaemonSet")
    yield from non_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from _validate_strategy(spec.get("updateStrategy") or {})
    yield from non_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))


def _validate_strategy(strategy: Object) -> Iterator[FieldError]:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        shown = internal_form("DaemonSetUpdateStrategy", strategy)
        yield not_supported(_STRATEGY, shown, ("RollingUpdate", "OnDelete"))
    elif rolling is None:
        yield required(f"{_STRATEGY}.rollingUpdate")
    else:
        yield from _validate_rolling(rolling, f"{_STRATEGY}.rollingUpdate")


def _validate_rolling(rolling: Object, path: str) -> Iterator[FieldError]:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    for field, share in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        yield from validate_share(share, f"{path}.{field}")
    for field, share in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        yield from validate_share_below_whole(share, f"{path}.{field}")
    if amount_of_share(unavailable) and amount_of_share(surge):
        yield invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    elif not amount_of_share(unavailable) and not amount_of_share(surge):
        yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def validate_daemon_set_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a DaemonSet."""
    yield from validate_daemon_set(new)
    yield from validate_selector_kept(new, old)


def validate_daemon_set_status(new: Object, old: Object) -> Iterator[FieldError]:
    """Check the counts in a DaemonSet's status."""
    status, stored = new.get("status") or {}, old.get("status") or {}
    for field in _COUNTS:
        yield from non_negative(f"status.{field}", status.get(field))
    before = stored.get("collisionCount")
    if before is not None and (status.get("collisionCount") or 0) < before:
        shown = status.get("collisionCount")
        yield invalid("status.collisionCount", shown, "cannot be decremented")
