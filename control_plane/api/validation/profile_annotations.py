"""Profiles of seccomp and AppArmor that a pod has both in an annotation and in a field.

Called by pods.py and controlled_pods.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation.field_errors import forbidden

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_POD_SECCOMP: Final = "seccomp.security.alpha.kubernetes.io/pod"
_CONTAINER_SECCOMP: Final = "container.seccomp.security.alpha.kubernetes.io/"
_CONTAINER_ARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_PREFIXES: Final = (_POD_SECCOMP, _CONTAINER_SECCOMP, _CONTAINER_ARMOR)
_LOCAL: Final = "localhost/"
_VALUES: Final = {
    "Unconfined": ("unconfined",),
    "RuntimeDefault": ("runtime/default", "docker/default"),
}


def validate_profile_annotations(
    annotations: Mapping[str, str], spec: Object, path: str
) -> Iterator[FieldError]:
    """Check that annotations and fields say the same; `path` is the spec's."""
    if not any(key.startswith(_PREFIXES) for key in annotations):
        return
    security = spec.get("securityContext") or {}
    where = f"{path}.securityContext.seccompProfile"
    text = annotations.get(_POD_SECCOMP)
    yield from _compare(text, security.get("seccompProfile"), where, "seccomp")
    is_windows = (spec.get("os") or {}).get("name") == "windows"
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(field) or []):
            own, name = container.get("securityContext") or {}, container.get("name")
            where = f"{path}.{field}[{index}].securityContext"
            text = annotations.get(f"{_CONTAINER_SECCOMP}{name}")
            profile = own.get("seccompProfile")
            yield from _compare(text, profile, f"{where}.seccompProfile", "seccomp")
            text = None if is_windows else annotations.get(f"{_CONTAINER_ARMOR}{name}")
            profile = own.get("appArmorProfile")
            yield from _compare(text, profile, f"{where}.appArmorProfile", "apparmor")


def _compare(
    text: str | None, profile: Object | None, path: str, kind: str
) -> Iterator[FieldError]:
    if text is None or profile is None:
        return
    wanted = profile.get("type") or ""
    if wanted == "Localhost" and text.startswith(_LOCAL):
        if text.removeprefix(_LOCAL) != profile.get("localhostProfile"):
            detail = f"{kind} profile in annotation and field must match"
            yield forbidden(f"{path}.localhostProfile", detail)
        return
    values = _VALUES.get(wanted, () if wanted == "Localhost" else (text,))
    if text not in (values[:1] if kind == "apparmor" else values):
        yield forbidden(f"{path}.type", f"{kind} type in annotation and field must match")
