"""Rules of stateful sets.

Called through the VALIDATORS table. Source: v1.35 apps/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.internal_form import internal_form
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.claim_spec import validate_claim_spec
from control_plane.api.validation.controlled_pods import (
    validate_controlled_template,
    validate_replicas,
    validate_selected_template_labels,
)
from control_plane.api.validation.field_errors import (
    forbidden,
    invalid,
    invalid_each,
    non_negative,
    not_supported,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_STRATEGY: Final = "spec.updateStrategy"
_RETENTION: Final = "spec.persistentVolumeClaimRetentionPolicy"
_CHANGEABLE: Final = frozenset({
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
})  # fmt: skip
_FROZEN: Final = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
    "'minReadySeconds' are forbidden"
)
_COUNTS: Final = (
    "replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas",
    "observedGeneration", "collisionCount",
)  # fmt: skip


def validate_new_stateful_set(stateful_set: Object) -> Iterator[FieldError]:
    """Check a new StatefulSet: what can never change is looked at only now."""
    yield from _validate(stateful_set)
    spec = stateful_set.get("spec") or {}
    service = spec.get("serviceName") or ""
    if service:
        yield from invalid_each("spec.serviceName", service, formats.dns1123_label(service))
    for index, claim in enumerate(spec.get("volumeClaimTemplates") or []):
        path = f"spec.volumeClaimTemplates[{index}].spec"
        yield from validate_claim_spec((claim or {}).get("spec") or {}, path)


def _validate(stateful_set: Object) -> Iterator[FieldError]:
    spec = stateful_set.get("spec") or {}
    policy = spec.get("podManagementPolicy") or ""
    if not policy:
        yield required("spec.podManagementPolicy")
    elif policy not in ("OrderedReady", "Parallel"):
        yield invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    yield from _validate_strategy(spec.get("updateStrategy") or {})
    yield from _validate_retention(spec.get("persistentVolumeClaimRetentionPolicy"))
    yield from validate_replicas(spec)
    start = (spec.get("ordinals") or {}).get("start")
    yield from non_negative("spec.ordinals.start", start)
    yield from _validate_selected_template(spec)


def _validate_strategy(strategy: Object) -> Iterator[FieldError]:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if not kind:
        yield required(_STRATEGY)
    elif kind not in ("RollingUpdate", "OnDelete"):
        shown = internal_form("StatefulSetUpdateStrategy", strategy)
        yield invalid(_STRATEGY, shown, "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is None:
        return
    elif kind == "OnDelete":
        shown = internal_form("RollingUpdateStatefulSetStrategy", rolling)
        detail = "only allowed for updateStrategy 'RollingUpdate'"
        yield invalid(f"{_STRATEGY}.rollingUpdate", shown, detail)
    else:
        path = f"{_STRATEGY}.rollingUpdate.partition"
        yield from non_negative(path, rolling.get("partition"))


def _validate_retention(policy: Any) -> Iterator[FieldError]:
    if policy is None:
        return
    for field in ("whenDeleted", "whenScaled"):
        value = policy.get(field) or ""
        if value not in ("Retain", "Delete"):
            yield not_supported(f"{_RETENTION}.{field}", value, ("Delete", "Retain"))


def _validate_selected_template(spec: Object) -> Iterator[FieldError]:
    fit = yield from validate_selected_template_labels(
        spec, "empty selector is invalid for statefulset", ""
    )
    if fit is not None:
        claims = spec.get("volumeClaimTemplates") or []
        whole = _with_claimed_volumes(spec.get("template") or {}, claims)
        yield from validate_controlled_template(whole, fit, "StatefulSet")


def _with_claimed_volumes(template: Object, claims: list[Object]) -> Object:
    """Return the template with the volumes its pods will have, one for each claim."""
    names = [((claim or {}).get("metadata") or {}).get("name") or "" for claim in claims]
    pod = template.get("spec") or {}
    kept = [volume for volume in pod.get("volumes") or [] if volume.get("name") not in names]
    added = [
        {"name": name, "persistentVolumeClaim": {"claimName": name}}
        for name in dict.fromkeys(names)
        if name
    ]
    return {**template, "spec": {**pod, "volumes": [*added, *kept]}} if added else template


def validate_stateful_set_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a StatefulSet: most of its spec stays."""
    yield from _validate(new)
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    fields = (spec.keys() | stored.keys()) - _CHANGEABLE
    if not all(semantically_equal(spec.get(field), stored.get(field)) for field in fields):
        yield forbidden("spec", _FROZEN)


def validate_stateful_set_status(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check the counts in a StatefulSet's status."""
    status = new.get("status") or {}
    for field in _COUNTS:
        yield from non_negative(f"status.{field}", status.get(field))
    for field in ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"):
        if (status.get(field) or 0) > (status.get("replicas") or 0):
            detail = "cannot be greater than status.replicas"
            yield invalid(f"status.{field}", status.get(field), detail)
    if (status.get("availableReplicas") or 0) > (status.get("readyReplicas") or 0):
        detail = "cannot be greater than status.readyReplicas"
        yield invalid("status.availableReplicas", status.get("availableReplicas"), detail)
