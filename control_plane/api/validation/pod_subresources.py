"""Rules of a pod's ephemeralcontainers and resize endpoints.

Called through the VALIDATORS table. Preparation has taken from the request only what the endpoint
is for. Source: v1.35 core/v1 ValidatePodEphemeralContainersUpdate and ValidatePodResize.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.internal_difference import difference
from control_plane.api.objects import deep_copy
from control_plane.api.preparation.qos_class import qos_class
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation.field_errors import forbidden, invalid
from control_plane.api.validation.pods import MIRROR, validate_pod_content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_RESIZABLE: Final = ("cpu", "memory")
_KINDS: Final = ("containers", "initContainers")
_ROOT: Final = "[]"  # how upstream prints the path of nothing in particular


def _is_mirror(pod: Object) -> bool:
    return MIRROR in ((pod.get("metadata") or {}).get("annotations") or {})


def validate_ephemeral_containers_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check that ephemeral containers were only added."""
    if _is_mirror(old):
        yield forbidden(_ROOT, "static pods do not support ephemeral containers")
        return
    yield from validate_pod_content(new)
    where = "spec.ephemeralContainers"
    kept = {c.get("name"): c for c in (new.get("spec") or {}).get("ephemeralContainers") or []}
    for before in (old.get("spec") or {}).get("ephemeralContainers") or []:
        start = f'existing ephemeral containers "{before.get("name")}" may not be'
        after = kept.get(before.get("name"))
        if after is None:
            yield forbidden(where, f"{start} removed\n")
        elif not semantically_equal(after, before):
            shown = difference("EphemeralContainer", before, after)
            yield forbidden(where, f"{start} changed\n{shown}")


def validate_resize(new: Object, old: Object) -> Iterator[FieldError]:
    """Check that nothing but the cpu and memory of containers has changed."""
    refusal = _never_resized(old)
    if refusal:
        yield forbidden(_ROOT, refusal)
        return
    yield from validate_pod_content(new)
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    before = (old.get("status") or {}).get("qosClass") or qos_class(stored)
    if qos_class(spec) != before:
        detail = "Pod QOS Class may not change as a result of resizing"
        yield invalid("spec", (new.get("status") or {}).get("qosClass"), detail)
    if not _node_can_resize(old):
        yield forbidden("spec", "Pod running on node without support for resize")
    disorder = list(_validate_order(spec, stored))
    yield from disorder
    if not disorder:
        yield from _validate_removals(spec, stored)
        yield from _validate_rest(spec, stored)


def _never_resized(pod: Object) -> str:
    """Say why the pod cannot be resized whatever is asked for; "" when it can."""
    spec = pod.get("spec") or {}
    if spec.get("resources") is not None:
        return (
            "resize of pods with pod-level resources is forbidden when "
            "InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled"
        )
    if _is_mirror(pod):
        return "static pods cannot be resized"
    if (spec.get("os") or {}).get("name") == "windows":
        return "windows pods cannot be resized"
    return ""


def _node_can_resize(pod: Object) -> bool:
    """Tell by the first running container whether the node reports resources."""
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        if (status.get("state") or {}).get("running") is not None:
            return status.get("resources") is not None
    return True


def _validate_order(spec: Object, stored: Object) -> Iterator[FieldError]:
    for kind in _KINDS:
        names = [container.get("name") for container in spec.get(kind) or []]
        before = [container.get("name") for container in stored.get(kind) or []]
        if len(names) != len(before):
            yield forbidden("spec", f"{kind} may not be added or removed on resize")
            continue
        for index, (name, was) in enumerate(zip(names, before, strict=True)):
            if name != was:
                detail = f"{kind} may not be renamed or reordered on resize"
                yield forbidden(f"spec.{kind}[{index}].name", detail)


def _validate_removals(spec: Object, stored: Object) -> Iterator[FieldError]:
    for kind in ("initContainers", "containers"):
        pairs = zip(spec.get(kind) or [], stored.get(kind) or [], strict=True)
        for index, (after, before) in enumerate(pairs):
            if kind == "initContainers" and not _is_sidecar(before):
                continue
            for field in ("requests", "limits"):
                if _amounts(before, field).keys() - _amounts(after, field).keys():
                    where = f"spec.{kind}[{index}].resources.{field}"
                    yield forbidden(where, f"resource {field} cannot be removed")


def _validate_rest(spec: Object, stored: Object) -> Iterator[FieldError]:
    """Undo what may change and see whether anything else did."""
    munged = deep_copy(spec)
    for kind in _KINDS:
        for after, before in zip(munged.get(kind) or [], stored.get(kind) or [], strict=True):
            detail = "only cpu and memory resources are mutable"
            if kind == "initContainers" and not _is_sidecar(after):
                detail = "resources for non-sidecar init containers are immutable"
            else:
                _restore(after, before)
                if kind == "initContainers":
                    detail = "only cpu and memory resources for sidecar containers are mutable"
            if not semantically_equal(after, before):
                yield forbidden("spec", detail)
    if not semantically_equal(munged, stored):
        detail = "only cpu and memory resources are mutable"
        yield forbidden("spec", f"{detail}\n{difference('PodSpec', stored, munged)}")


def _restore(container: Object, stored: Object) -> None:
    """Give a container the stored one's cpu, memory and resize policy."""
    resources = dict(container.get("resources") or {})
    for field in ("requests", "limits"):
        before = _amounts(stored, field)
        kept = {k: v for k, v in _amounts(container, field).items() if k not in _RESIZABLE}
        kept |= {name: before[name] for name in _RESIZABLE if name in before}
        resources[field] = kept
    container["resources"] = {key: value for key, value in resources.items() if value}
    if "resizePolicy" in stored:
        container["resizePolicy"] = stored["resizePolicy"]
    else:
        container.pop("resizePolicy", None)


def _amounts(container: Object, field: str) -> dict[str, Any]:
    return (container.get("resources") or {}).get(field) or {}


def _is_sidecar(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"
