"""securityContext as the runtime's Privileges. Pure; the container's values override the pod's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from node.kubelet.pod_spec import pod_id
from node.kubelet.runtimes.base import ImageRecord, Privileges

if TYPE_CHECKING:
    from pathlib import Path

    from control_plane.api.objects import Object

_SECCOMP_DIRECTORY = "seccomp"
_MAX_UID = 2**31 - 1


class SecurityFailure(Exception):
    """The container may not run as asked; the text is shown as CreateContainerConfigError."""


def privileges(pod: Object, container: Object, image: ImageRecord, root_dir: Path) -> Privileges:
    """Return what the container's processes are and may do.

    Raises SecurityFailure when runAsNonRoot is broken or a profile cannot be read.
    """
    pod_context = pod["spec"].get("securityContext") or {}
    own = container.get("securityContext") or {}
    merged = {**_shared(pod_context), **{k: v for k, v in own.items() if v is not None}}
    _check_non_root(pod, container, merged, image)
    capabilities = own.get("capabilities") or {}
    return Privileges(
        user=_user(merged),
        groups=_groups(pod_context),
        privileged=bool(own.get("privileged")),
        read_only_root=bool(own.get("readOnlyRootFilesystem")),
        capabilities_add=[_capability(c) for c in capabilities.get("add") or ()],
        capabilities_drop=[_capability(c) for c in capabilities.get("drop") or ()],
        options=_options(merged, root_dir),
        unmasked_proc=own.get("procMount") == "Unmasked",
    )


def _shared(pod_context: Object) -> dict[str, Any]:
    names = (
        "runAsUser",
        "runAsGroup",
        "runAsNonRoot",
        "seccompProfile",
        "appArmorProfile",
        "seLinuxOptions",
    )
    return {name: pod_context[name] for name in names if pod_context.get(name) is not None}


def _user(context: Object) -> str:
    user, group = context.get("runAsUser"), context.get("runAsGroup")
    if user is None:
        if group is not None:
            raise SecurityFailure("runAsGroup is specified without a runAsUser")
        return ""
    return str(user) if group is None else f"{user}:{group}"


def _groups(pod_context: Object) -> list[str]:
    groups = [pod_context.get("fsGroup"), *(pod_context.get("supplementalGroups") or ())]
    return [str(group) for group in groups if group is not None]


def _capability(name: str) -> str:
    return name.removeprefix("CAP_")


def _options(context: Object, root_dir: Path) -> list[str]:
    options = []
    if context.get("allowPrivilegeEscalation") is False:
        options.append("no-new-privileges")
    if not context.get("privileged"):
        options += _seccomp(context.get("seccompProfile") or {}, root_dir)
    options += _apparmor(context.get("appArmorProfile") or {})
    selinux = context.get("seLinuxOptions") or {}
    options += [f"label={key}:{value}" for key, value in selinux.items() if value]
    return options


def _seccomp(profile: Object, root_dir: Path) -> list[str]:
    kind = profile.get("type")
    if kind == "RuntimeDefault":
        return []
    if kind != "Localhost":
        return ["seccomp=unconfined"]
    name = profile.get("localhostProfile")
    if not name:
        raise SecurityFailure("localhostProfile must be set if seccompProfile type is Localhost.")
    path = root_dir / _SECCOMP_DIRECTORY / name
    try:
        return [f"seccomp={path.read_text()}"]
    except OSError as error:
        raise SecurityFailure(f"cannot load seccomp profile {name}: {error.strerror}") from error


def _apparmor(profile: Object) -> list[str]:
    kind = profile.get("type")
    if kind == "Unconfined":
        return ["apparmor=unconfined"]
    return [f"apparmor={profile['localhostProfile']}"] if kind == "Localhost" else []


def _check_non_root(pod: Object, container: Object, context: Object, image: ImageRecord) -> None:
    if not context.get("runAsNonRoot"):
        return
    where = f'(pod: "{pod_id(pod)}", container: {container["name"]})'
    user = context.get("runAsUser")
    if user == 0:
        raise SecurityFailure(f"container's runAsUser breaks non-root policy {where}")
    if user is not None:
        return
    name = image.user.partition(":")[0]
    if name in ("", "0"):
        raise SecurityFailure(f"container has runAsNonRoot and image will run as root {where}")
    if not name.isdigit():
        raise SecurityFailure(
            f"container has runAsNonRoot and image has non-numeric user ({name}), "
            f"cannot verify user is non-root {where}"
        )
    if int(name) > _MAX_UID:
        raise SecurityFailure(
            f"container has runAsNonRoot and image has an invalid user id ({name}). "
            f"(Must be 1-({_MAX_UID})): {where}"
        )
