"""Rules of security contexts, a container's and a pod's.

Called by containers.py and pod_security.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.internal_form import internal_form
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    invalid,
    invalid_each,
    not_supported,
    required,
    too_long,
)
from control_plane.api.validation.windows_options import validate_windows_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object
    from control_plane.api.validation.pod_context import PodContext

_PROFILES: Final = ("Localhost", "RuntimeDefault", "Unconfined")
_MAX_APP_ARMOR_BYTES: Final = 4095


def validate_container_security(
    container: Object, path: str, context: PodContext
) -> Iterator[FieldError]:
    """Check a container's securityContext."""
    security = container.get("securityContext")
    if security is None:
        return
    yield from validate_ids(security, path, "runAsUser", "runAsGroup")
    yield from _validate_proc_mount(security.get("procMount"), f"{path}.procMount", context)
    yield from validate_profiles(security, path)
    yield from validate_windows_options(security.get("windowsOptions"), f"{path}.windowsOptions")
    if security.get("allowPrivilegeEscalation") is False:
        yield from _validate_no_escalation(security, path)


def _validate_proc_mount(mount: Any, path: str, context: PodContext) -> Iterator[FieldError]:
    if mount is None:
        return
    if mount not in ("Default", "Unmasked"):
        yield not_supported(path, mount, ("Default", "Unmasked"))
    elif mount == "Unmasked" and context.spec.get("hostUsers") is not False:
        yield invalid(path, mount, "`hostUsers` must be false to use `Unmasked`")


def _validate_no_escalation(security: Object, path: str) -> Iterator[FieldError]:
    shown = internal_form("SecurityContext", security)
    if security.get("privileged"):
        detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        yield invalid(path, shown, detail)
    added = (security.get("capabilities") or {}).get("add") or []
    if "CAP_SYS_ADMIN" in added:
        detail = (
            "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        )
        yield invalid(path, shown, detail)


def validate_ids(security: Object, path: str, *fields: str) -> Iterator[FieldError]:
    """Check numeric user and group ids."""
    for field in fields:
        number = security.get(field)
        if number is not None:
            yield from invalid_each(f"{path}.{field}", number, formats.user_id(number))


def validate_profiles(security: Object, path: str) -> Iterator[FieldError]:
    """Check the seccomp and AppArmor profiles of a pod or container."""
    seccomp = security.get("seccompProfile")
    if seccomp is not None:
        yield from _validate_seccomp(seccomp, f"{path}.seccompProfile")
    armor = security.get("appArmorProfile")
    if armor is not None:
        yield from _validate_app_armor(armor, f"{path}.appArmorProfile")


def _validate_seccomp(profile: Object, path: str) -> Iterator[FieldError]:
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    where = f"{path}.localhostProfile"
    if not kind:
        yield required(f"{path}.type", "type is required when seccompProfile is set")
    elif kind == "Localhost" and not local:
        yield required(where, "must be set when seccomp type is Localhost")
    elif kind != "Localhost" and local:
        yield invalid(where, local, "can only be set when seccomp type is Localhost")
    elif kind not in _PROFILES:
        yield not_supported(f"{path}.type", kind, _PROFILES)
    if local and local.startswith("/"):
        yield invalid(where, local, "must be a relative path")
    if local and ".." in local.split("/"):
        yield invalid(where, local, "must not contain '..'")


def _validate_app_armor(profile: Object, path: str) -> Iterator[FieldError]:
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    where = f"{path}.localhostProfile"
    if not kind:
        yield required(f"{path}.type", "type is required when appArmorProfile is set")
    elif kind not in _PROFILES:
        yield not_supported(f"{path}.type", kind, _PROFILES)
    elif kind != "Localhost":
        if local is not None:
            yield invalid(where, local, "can only be set when AppArmor type is Localhost")
    elif not (local or "").strip():
        yield required(where, "must be set when AppArmor type is Localhost")
    if kind == "Localhost" and local:
        if local.strip() != local:
            yield invalid(where, local, "must not be padded with whitespace")
        if len(local.encode()) > _MAX_APP_ARMOR_BYTES:
            yield too_long(where, _MAX_APP_ARMOR_BYTES)
