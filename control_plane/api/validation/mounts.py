"""Rules of volume mounts and block devices in containers.

Called by containers.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation.field_errors import (
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)
from control_plane.api.validation.paths import validate_relative_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object
    from control_plane.api.validation.pod_context import PodContext

_PROPAGATION: Final = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE: Final = ("Disabled", "Enabled", "IfPossible")


def validate_mounts(container: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    """Check volumeMounts, then volumeDevices, against the pod's volumes and each other."""
    mounts = container.get("volumeMounts") or []
    devices = container.get("volumeDevices") or []
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        where = f"{path}.volumeMounts[{index}]"
        yield from _validate_mount(mount, where, container, context)
        mount_path = mount.get("mountPath") or ""
        if mount_path in seen:
            yield invalid(f"{where}.mountPath", mount_path, "must be unique")
        seen.add(mount_path)
        yield from _validate_apart(mount, devices, where)
    yield from _validate_devices(devices, mounts, f"{path}.volumeDevices", context)


def _validate_apart(mount: Object, devices: list[Object], path: str) -> Iterator[FieldError]:
    if mount.get("name") in [device.get("name") for device in devices]:
        yield invalid(f"{path}.name", mount.get("name"), "must not already exist in volumeDevices")
    if mount.get("mountPath") in [device.get("devicePath") for device in devices]:
        detail = "must not already exist as a path in volumeDevices"
        yield invalid(f"{path}.mountPath", mount.get("mountPath"), detail)


def _validate_mount(
    mount: Object, path: str, container: Object, context: PodContext
) -> Iterator[FieldError]:
    name = mount.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    elif name not in context.volumes:
        yield not_found(f"{path}.name", name)
    if not mount.get("mountPath"):
        yield required(f"{path}.mountPath")
    sub_path, expression = mount.get("subPath") or "", mount.get("subPathExpr") or ""
    if sub_path:
        yield from validate_relative_path(sub_path, f"{path}.subPath")
    if expression:
        if sub_path:
            detail = "subPathExpr and subPath are mutually exclusive"
            yield invalid(f"{path}.subPathExpr", expression, detail)
        yield from validate_relative_path(expression, f"{path}.subPathExpr")
    yield from _validate_propagation(mount, path, container)
    yield from _validate_recursive_read_only(mount, path)


def _validate_propagation(mount: Object, path: str, container: Object) -> Iterator[FieldError]:
    propagation = mount.get("mountPropagation")
    where = f"{path}.mountPropagation"
    if propagation is None:
        return
    if propagation not in _PROPAGATION:
        yield not_supported(where, propagation, _PROPAGATION)
    privileged = (container.get("securityContext") or {}).get("privileged")
    if propagation == "Bidirectional" and not privileged:
        detail = "Bidirectional mount propagation is available only to privileged containers"
        yield forbidden(where, detail)


def _validate_recursive_read_only(mount: Object, path: str) -> Iterator[FieldError]:
    recursive = mount.get("recursiveReadOnly")
    where = f"{path}.recursiveReadOnly"
    if recursive in (None, "Disabled"):
        return
    if recursive not in _RECURSIVE:
        yield not_supported(where, recursive, _RECURSIVE)
        return
    if not mount.get("readOnly"):
        yield forbidden(where, "may only be specified when readOnly is true")
    if mount.get("mountPropagation") not in (None, "None"):
        detail = "may only be specified when mountPropagation is None or not specified"
        yield forbidden(where, detail)


def _validate_devices(
    devices: list[Object], mounts: list[Object], path: str, context: PodContext
) -> Iterator[FieldError]:
    names: set[str] = set()
    paths: set[str] = set()
    for index, device in enumerate(devices):
        where = f"{path}[{index}]"
        name, device_path = device.get("name") or "", device.get("devicePath") or ""
        yield from _validate_device_name(name, f"{where}.name", context)
        if not device_path:
            yield required(f"{where}.devicePath")
        elif ".." in device_path.split("/"):
            yield invalid(f"{where}.devicePath", device_path, "can not contain backsteps ('..')")
        if device_path in paths:
            yield invalid(f"{where}.devicePath", device_path, "must be unique")
        if name in names:
            yield invalid(f"{where}.name", name, "must be unique")
        yield from _validate_device_apart(name, device_path, mounts, where)
        names.add(name)
        paths.add(device_path)


def _validate_device_apart(
    name: str, device_path: str, mounts: list[Object], path: str
) -> Iterator[FieldError]:
    if name in [mount.get("name") for mount in mounts]:
        yield invalid(f"{path}.name", name, "must not already exist in volumeMounts")
    if device_path in [mount.get("mountPath") for mount in mounts]:
        detail = "must not already exist as a path in volumeMounts"
        yield invalid(f"{path}.devicePath", device_path, detail)


def _validate_device_name(name: str, path: str, context: PodContext) -> Iterator[FieldError]:
    if not name:
        yield required(path)
        return
    volume = context.volumes.get(name)
    if volume is None:
        yield not_found(path, name)
    elif volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
        detail = (
            "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
        )
        yield invalid(path, name, detail)
