"""Rules of autoscalers, in the form of autoscaling/v2.

Called through the VALIDATORS table. Source: v1.35 autoscaling validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.autoscaler_metrics import validate_metrics
from control_plane.api.validation.field_errors import (
    NEGATIVE,
    forbidden,
    invalid,
    invalid_each,
    non_negative,
    not_supported,
    required,
)
from control_plane.api.validation.quantities import amount_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_PERIOD_SECONDS: Final = 1800
MAX_WINDOW_SECONDS: Final = 3600
_SELECT: Final = ("Disabled", "Max", "Min")
_POLICIES: Final = ("Percent", "Pods")
_SCALES_TO_ZERO: Final = (
    "must specify at least one Object or External metric to support scaling to zero replicas"
)


def validate_autoscaler(autoscaler: Object) -> Iterator[FieldError]:
    """Check a new HorizontalPodAutoscaler."""
    yield from _validate(autoscaler, lowest=1, check_version=True)


def validate_autoscaler_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update: what a stored one has may stay."""
    stored = old.get("spec") or {}
    lowest = 0 if stored.get("minReplicas") == 0 else 1
    targets = [(obj.get("spec") or {}).get("scaleTargetRef") or {} for obj in (new, old)]
    same = all(targets[0].get(f) == targets[1].get(f) for f in ("kind", "apiVersion"))
    yield from _validate(new, lowest=lowest, check_version=not same)


def _validate(autoscaler: Object, *, lowest: int, check_version: bool) -> Iterator[FieldError]:
    spec = autoscaler.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < lowest:
        yield invalid("spec.minReplicas", least, f"must be greater than or equal to {lowest}")
    if most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
    if least is not None and most < least:
        detail = "must be greater than or equal to `minReplicas`"
        yield invalid("spec.maxReplicas", most, detail)
    yield from _validate_target(spec.get("scaleTargetRef") or {}, check_version=check_version)
    found = spec.get("metrics") or []
    yield from validate_metrics(found, "spec.metrics")
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in found):
        yield forbidden("spec.metrics", _SCALES_TO_ZERO)
    for field in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(field)
        if rules is not None:
            yield from _validate_rules(rules, f"spec.behavior.{field}")


def _validate_target(target: Object, *, check_version: bool) -> Iterator[FieldError]:
    for field in ("kind", "name"):
        path, value = f"spec.scaleTargetRef.{field}", target.get(field) or ""
        if not value:
            yield required(path)
        else:
            yield from invalid_each(path, value, formats.path_segment(value))
    if check_version:
        version, path = target.get("apiVersion") or "", "spec.scaleTargetRef.apiVersion"
        if version.count("/") > 1:
            yield invalid(path, version, f"unexpected GroupVersion string: {version}")
        elif "/" not in version and target.get("kind") != "ReplicationController":
            yield invalid(path, version, "apiVersion must specify API group")


def _validate_rules(rules: Object, path: str) -> Iterator[FieldError]:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None:
        where = f"{path}.stabilizationWindowSeconds"
        if window < 0:
            yield invalid(where, window, "must be greater than or equal to zero")
        if window > MAX_WINDOW_SECONDS:
            yield invalid(where, window, f"must be less than or equal to {MAX_WINDOW_SECONDS}")
    select = rules.get("selectPolicy")
    if select is not None and select not in _SELECT:
        yield not_supported(f"{path}.selectPolicy", select, _SELECT)
    policies = rules.get("policies") or []
    if not policies:
        yield required(f"{path}.policies", "must specify at least one Policy")
    for index, policy in enumerate(policies):
        yield from _validate_policy(policy, f"{path}.policies[{index}]")
    tolerance = rules.get("tolerance")
    if tolerance is not None and amount_of(tolerance) < 0:
        yield invalid(f"{path}.tolerance", str(tolerance), NEGATIVE)


def _validate_policy(policy: Object, path: str) -> Iterator[FieldError]:
    kind = policy.get("type") or ""
    if kind not in _POLICIES:
        yield not_supported(f"{path}.type", kind, _POLICIES)
    for field in ("value", "periodSeconds"):
        number = policy.get(field) or 0
        if number <= 0:
            yield invalid(f"{path}.{field}", number, "must be greater than zero")
    if (policy.get("periodSeconds") or 0) > MAX_PERIOD_SECONDS:
        detail = f"must be less than or equal to {MAX_PERIOD_SECONDS}"
        yield invalid(f"{path}.periodSeconds", policy.get("periodSeconds"), detail)


def validate_autoscaler_status(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check the counts in an autoscaler's status."""
    status = new.get("status") or {}
    for field in ("currentReplicas", "desiredReplicas"):
        yield from non_negative(f"status.{field}", status.get(field))
