"""Rules of updating a pod: nearly nothing of its spec may change.

Called through the VALIDATORS table. Source: v1.35 core/v1 ValidatePodUpdate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.internal_difference import difference
from control_plane.api.objects import deep_copy
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.containers import validate_image
from control_plane.api.validation.field_errors import forbidden, invalid
from control_plane.api.validation.pods import MIRROR, validate_pod_content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_OTHER_FIELDS: Final = ",".join([
    "pod updates may not change fields other than `spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
])  # fmt: skip
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_MAX_DEADLINE: Final = 2**31 - 1
_APP_ARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"


def validate_pod_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a pod through its main endpoint."""
    yield from _validate_annotations(new, old)
    yield from validate_pod_content(new)
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    for field in ("containers", "initContainers"):
        if len(spec.get(field) or []) != len(stored.get(field) or []):
            detail = "pod updates may not add or remove containers"
            yield forbidden(f"spec.{field}", detail)
            return
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or []):
            yield from validate_image(container, f"spec.{field}[{index}]", is_template=False)
    yield from _validate_deadline(spec, stored)
    yield from _validate_gates(spec, stored)
    yield from _validate_tolerations(spec, stored)
    yield from _validate_rest(spec, stored)


def _annotations(pod: Object) -> dict[str, Any]:
    return (pod.get("metadata") or {}).get("annotations") or {}


def _validate_annotations(new: Object, old: Object) -> Iterator[FieldError]:
    after, before = _annotations(new), _annotations(old)
    where = f"metadata.annotations[{MIRROR}]"
    if MIRROR in before and after.get(MIRROR) != before[MIRROR]:
        yield forbidden(where, "may not remove or update mirror pod annotation")
    elif MIRROR in after and MIRROR not in before:
        yield forbidden(where, "may not add mirror pod annotation")
    for key in sorted(k for k in after.keys() | before.keys() if k.startswith(_APP_ARMOR)):
        where = f"metadata.annotations[{key}]"
        if key not in before:
            yield forbidden(where, "may not add AppArmor annotations")
        elif after.get(key) != before[key]:
            yield forbidden(where, "may not remove or update AppArmor annotations")


def _validate_deadline(spec: Object, stored: Object) -> Iterator[FieldError]:
    where = "spec.activeDeadlineSeconds"
    after, before = spec.get("activeDeadlineSeconds"), stored.get("activeDeadlineSeconds")
    if after is None:
        if before is not None:
            yield invalid(where, None, "must not update from a positive integer to nil value")
    elif not 0 <= after <= _MAX_DEADLINE:
        yield invalid(where, after, formats.in_range(0, _MAX_DEADLINE))
    elif before is not None and before < after:
        yield invalid(where, after, "must be less than or equal to previous value")


def _validate_gates(spec: Object, stored: Object) -> Iterator[FieldError]:
    known = {gate.get("name") for gate in stored.get("schedulingGates") or []}
    for index, gate in enumerate(spec.get("schedulingGates") or []):
        name = gate.get("name")
        if name not in known:
            detail = f"only deletion is allowed, but found new scheduling gate '{name}'"
            yield forbidden(f"spec.schedulingGates[{index}].name", detail)


def _validate_tolerations(spec: Object, stored: Object) -> Iterator[FieldError]:
    def identity(toleration: Object) -> Object:
        return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}

    kept = [identity(toleration) for toleration in spec.get("tolerations") or []]
    for toleration in stored.get("tolerations") or []:
        if identity(toleration) not in kept:
            detail = "existing toleration can not be modified except its tolerationSeconds"
            yield forbidden("spec.tolerations", detail)
            return


def _validate_rest(spec: Object, stored: Object) -> Iterator[FieldError]:
    """Undo what may change and see whether anything else did."""
    munged = deep_copy(spec)
    for field in ("containers", "initContainers"):
        for container, before in zip(munged.get(field) or [], stored.get(field) or [], strict=True):
            _restore(container, before, "image")
    _restore(munged, stored, "activeDeadlineSeconds")
    _restore(munged, stored, "tolerations")
    _restore(munged, stored, "schedulingGates")
    grace = stored.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        _restore(munged, stored, "terminationGracePeriodSeconds")
    if stored.get("schedulingGates"):
        yield from _validate_gated(munged, stored)
    if not semantically_equal(munged, stored):
        yield forbidden("spec", f"{_OTHER_FIELDS}\n{difference('PodSpec', stored, munged)}")


def _restore(munged: Object, stored: Object, field: str) -> None:
    if field in stored:
        munged[field] = stored[field]
    else:
        munged.pop(field, None)


def _validate_gated(munged: Object, stored: Object) -> Iterator[FieldError]:
    """A gated pod's choice of nodes may become narrower."""
    after, before = munged.get("nodeSelector") or {}, stored.get("nodeSelector") or {}
    if after != before:
        if any(after.get(key) != value for key, value in before.items()):
            detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
            yield invalid("spec.nodeSelector", after, detail)
        _restore(munged, stored, "nodeSelector")
    yield from _validate_gated_affinity(munged, stored)


def _validate_gated_affinity(munged: Object, stored: Object) -> Iterator[FieldError]:
    after = ((munged.get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED)
    before = ((stored.get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED)
    where = f"spec.affinity.nodeAffinity.{_REQUIRED}"
    if before is not None and not semantically_equal(after, before):
        yield from _validate_terms(
            (after or {}).get("nodeSelectorTerms") or [],
            before.get("nodeSelectorTerms") or [],
            f"{where}.nodeSelectorTerms",
        )
    affinity = munged.get("affinity") or {}
    if affinity.get("nodeAffinity") != (stored.get("affinity") or {}).get("nodeAffinity"):
        restored = {**affinity}
        _restore(restored, stored.get("affinity") or {}, "nodeAffinity")
        munged["affinity"] = restored


def _validate_terms(after: list[Object], before: list[Object], path: str) -> Iterator[FieldError]:
    if before and len(after) != len(before):
        detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        yield invalid(path, after, detail)
        return
    for index, (new, old) in enumerate(zip(after, before, strict=False)):
        for field in ("matchExpressions", "matchFields"):
            kept = (new.get(field) or [])[: len(old.get(field) or [])]
            if kept != (old.get(field) or []):
                detail = "only additions are allowed (no mutations or deletions)"
                yield invalid(f"{path}[{index}]", new, detail)
                break
