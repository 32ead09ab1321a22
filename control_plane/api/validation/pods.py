"""Rules of pods as such: on create, and of their status. Updates are in pod_update.py.

Called through the VALIDATORS table. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    required,
)
from control_plane.api.validation.pod_spec import validate_pod_spec
from control_plane.api.validation.profile_annotations import validate_profile_annotations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MIRROR: Final = "kubernetes.io/config.mirror"
_DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
_SECCOMP: Final = re.compile(r"seccomp\.security\.alpha\.kubernetes\.io/pod")
_CONTAINER_SECCOMP: Final = "container.seccomp.security.alpha.kubernetes.io/"
_SECCOMP_PROFILES: Final = ("runtime/default", "docker/default", "unconfined")
_CONTAINER_ARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"


def validate_pod(pod: Object) -> Iterator[FieldError]:
    """Check a new pod."""
    spec = pod.get("spec") or {}
    yield from validate_pod_content(pod)
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        detail = "cannot be set until all schedulingGates have been cleared"
        yield forbidden("spec.nodeName", detail)
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    yield from validate_profile_annotations(annotations, spec, "spec")


def validate_pod_content(pod: Object) -> Iterator[FieldError]:
    """Check what holds for new and for updated pods."""
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    annotations = metadata.get("annotations") or {}
    yield from validate_pod_annotations(annotations, spec, "metadata.annotations")
    yield from validate_pod_spec(spec, "spec", pod_name=metadata.get("name") or "")


def validate_pod_annotations(
    annotations: dict[str, str], spec: Object, path: str
) -> Iterator[FieldError]:
    """Check the annotations that mean something to a pod or a pod template."""
    if MIRROR in annotations and not spec.get("nodeName"):
        detail = "must set spec.nodeName if mirror pod annotation is set"
        yield invalid(f"{path}[{MIRROR}]", annotations[MIRROR], detail)
    cost = annotations.get(_DELETION_COST)
    if cost is not None and not _is_int32(cost):
        yield invalid(f"{path}[{_DELETION_COST}]", cost, "must be a 32bit integer")
    known = {
        container.get("name")
        for field in ("containers", "initContainers", "ephemeralContainers")
        for container in spec.get(field) or []
    }
    for key, value in annotations.items():
        if _SECCOMP.fullmatch(key) or key.startswith(_CONTAINER_SECCOMP):
            if value not in _SECCOMP_PROFILES and not value.startswith("localhost/"):
                yield invalid(f"{path}[{key}]", value, "must be a valid seccomp profile")
        elif key.startswith(_CONTAINER_ARMOR):
            yield from _validate_armor(key, value, known, f"{path}[{key}]")


def _validate_armor(key: str, value: str, known: set[Any], path: str) -> Iterator[FieldError]:
    name = key.removeprefix(_CONTAINER_ARMOR)
    if name not in known:
        yield invalid(path, name, "container not found")
    if value not in ("", "runtime/default", "unconfined") and not value.startswith("localhost/"):
        yield invalid(path, value, f'invalid AppArmor profile name: "{value}"')


def _is_int32(text: str) -> bool:
    if re.fullmatch(r"0|-?[1-9][0-9]{0,9}", text, re.ASCII) is None:
        return False
    return -(2**31) <= int(text) < 2**31


def validate_pod_status_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check a new status against the stored pod."""
    status, stored = new.get("status") or {}, old.get("status") or {}
    if (new.get("spec") or {}).get("nodeName") != (old.get("spec") or {}).get("nodeName"):
        yield forbidden("status.nodeName", "may not be changed directly")
    nominated = status.get("nominatedNodeName") or ""
    if nominated:
        messages = formats.dns1123_subdomain(nominated)
        yield from invalid_each("status.nominatedNodeName", nominated, messages)
        if (old.get("spec") or {}).get("nodeName") and not stored.get("nominatedNodeName"):
            detail = "may not be set on pods that are already bound to a node"
            yield forbidden("status.nominatedNodeName", detail)
    kept = stored.get("qosClass")
    if kept and status.get("qosClass") != kept:
        yield invalid("status.qosClass", status.get("qosClass"), IMMUTABLE)
    for field in ("containerStatuses", "initContainerStatuses"):
        yield from _validate_transitions(field, status, stored, old.get("spec") or {})
    yield from _validate_addresses(status)


def _validate_transitions(
    field: str, status: Object, stored: Object, spec: Object
) -> Iterator[FieldError]:
    """Refuse that a container which ended for good is said to run again."""
    if spec.get("restartPolicy") == "Always":
        return
    sidecars = {
        container.get("name")
        for container in spec.get("initContainers") or []
        if container.get("restartPolicy") == "Always"
    }
    own_rules = {
        container.get("name")
        for kind in ("containers", "initContainers")
        for container in spec.get(kind) or []
        if container.get("restartPolicy") or container.get("restartPolicyRules")
    }
    new_by_name = {item.get("name"): (at, item) for at, item in enumerate(status.get(field) or [])}
    for before in stored.get(field) or []:
        ended = (before.get("state") or {}).get("terminated")
        name = before.get("name")
        if ended is None or name not in new_by_name or name in sidecars | own_rules:
            continue
        if ended.get("exitCode") and spec.get("restartPolicy") == "OnFailure":
            continue
        at, after = new_by_name[name]
        if (after.get("state") or {}).get("terminated") is None:
            detail = "may not be transitioned to non-terminated state"
            yield forbidden(f"status.{field}[{at}].state", detail)


def _validate_addresses(status: Object) -> Iterator[FieldError]:
    for field in ("podIPs", "hostIPs"):
        addresses = [item.get("ip") or "" for item in status.get(field) or []]
        for index, address in enumerate(addresses):
            messages = formats.ip_address(address)
            yield from invalid_each(f"status.{field}[{index}]", address, messages)
        families = [":" in address for address in addresses]
        if len(families) != len(set(families)):
            detail = "may specify no more than one IP for each IP family"
            yield invalid(f"status.{field}", addresses, detail)
    hosts = status.get("hostIPs") or []
    if hosts and hosts[0].get("ip") != status.get("hostIP"):
        where = "status.hostIPs[0].ip"
        yield invalid(where, hosts[0].get("ip"), "must be equal to `hostIP`")


def validate_binding(binding: Object) -> Iterator[FieldError]:
    """Check the target of a binding."""
    target = binding.get("target") or {}
    if target.get("kind") not in (None, "", "Node"):
        yield not_supported("target.kind", target.get("kind"), ("Node", "<empty>"))
    if not target.get("name"):
        yield required("target.name")
