"""Rules of a pod's securityContext and of sharing the node's namespaces.

Called by pod_spec.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.container_security import validate_ids, validate_profiles
from control_plane.api.validation.field_errors import (
    duplicate,
    forbidden,
    invalid,
    invalid_each,
    one_of,
    required,
)
from control_plane.api.validation.windows_options import validate_windows_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_SYSCTL: Final = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_IPC_SYSCTLS: Final = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")
_CHOICES: Final = (
    ("fsGroupChangePolicy", ("Always", "OnRootMismatch")),
    ("supplementalGroupsPolicy", ("Merge", "Strict")),
    ("seLinuxChangePolicy", ("MountOption", "Recursive")),
)


def validate_pod_security(spec: Object, path: str) -> Iterator[FieldError]:
    """Check a pod's securityContext; `path` is the spec's."""
    security = spec.get("securityContext") or {}
    where = f"{path}.securityContext"
    yield from validate_ids(security, where, "fsGroup", "runAsGroup", "runAsUser")
    for index, group in enumerate(security.get("supplementalGroups") or []):
        messages = formats.user_id(group)
        yield from invalid_each(f"{where}.supplementalGroups[{index}]", group, messages)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{where}.shareProcessNamespace", True, detail)
    yield from _validate_sysctls(security.get("sysctls") or [], f"{where}.sysctls", spec)
    for field, allowed in _CHOICES:
        yield from one_of(f"{where}.{field}", security.get(field), allowed, optional=True)
    yield from validate_profiles(security, where)
    yield from validate_windows_options(security.get("windowsOptions"), f"{where}.windowsOptions")
    yield from _validate_host_users(spec, path)


def _validate_sysctls(sysctls: list[Object], path: str, spec: Object) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, sysctl in enumerate(sysctls):
        where = f"{path}[{index}].name"
        name = sysctl.get("name") or ""
        if not name:
            yield required(where)
        elif len(name) > 253 or re.fullmatch(_SYSCTL, name, re.ASCII) is None:
            detail = f"must have at most 253 characters and match regex ^{_SYSCTL}$"
            yield invalid(where, name, detail)
        elif name in seen:
            yield duplicate(where, name)
        seen.add(name)
        dotted = name.replace("/", ".")
        if spec.get("hostNetwork") and dotted.startswith("net."):
            yield invalid(where, name, "may not be specified when 'hostNetwork' is true")
        if spec.get("hostIPC") and dotted.startswith(_IPC_SYSCTLS):
            yield invalid(where, name, "may not be specified when 'hostIPC' is true")


def _validate_host_users(spec: Object, path: str) -> Iterator[FieldError]:
    if spec.get("hostUsers") is not False:
        return
    for field, shown in (
        ("hostNetwork", "hostNetwork"),
        ("hostPID", "HostPID"),
        ("hostIPC", "HostIPC"),
    ):
        if spec.get(field):
            yield forbidden(f"{path}.{shown}", "when `hostUsers` is false")
    for index, container in enumerate(spec.get("containers") or []):
        if container.get("volumeDevices"):
            where = f"{path}.containers[{index}].volumeDevices"
            yield forbidden(where, "when `hostUsers` is false")
