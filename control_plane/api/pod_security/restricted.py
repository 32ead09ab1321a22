"""The checks of the level restricted: each returns what it has against a pod, or None."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.pod_security.baseline import added_beyond, seccomp
from control_plane.api.pod_security.violation import (
    Pod,
    Violation,
    blamed,
    called,
    counted,
    names_of,
    quoted,
    security,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_ADDABLE: Final = frozenset({"NET_BIND_SERVICE"})
_VOLUMES: Final = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim",
    "projected", "secret",
})  # fmt: skip


def but_on_windows(check: Callable[[Pod], Violation | None]) -> Callable[[Pod], Violation | None]:
    """Return the check for pods that do not say that they run on Windows."""

    def checked(pod: Pod) -> Violation | None:
        return None if pod.is_for_windows else check(pod)

    return checked


def but_with_own_users(
    check: Callable[[Pod], Violation | None],
) -> Callable[[Pod], Violation | None]:
    """Return the check for pods without a user namespace."""

    def checked(pod: Pod) -> Violation | None:
        return None if pod.has_own_users else check(pod)

    return checked


def privilege_escalation(pod: Pod) -> Violation | None:
    """Every container says that it gains no privileges."""
    names = names_of(
        c for c in pod.containers if security(c, "allowPrivilegeEscalation") is not False
    )
    detail = f"{called(names)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", detail) if names else None


def capabilities(pod: Pod) -> Violation | None:
    """Every container drops all capabilities; one may be added."""
    keeping = names_of(
        c for c in pod.containers if "ALL" not in (security(c, "capabilities", "drop") or ())
    )
    adding, added = added_beyond(pod, _ADDABLE)
    details: list[str] = []
    if keeping:
        details.append(f'{called(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        setting = f"{quoted(added)} in securityContext.capabilities.add"
        details.append(f"{called(adding)} must not include {setting}")
    return Violation("unrestricted capabilities", "; ".join(details)) if details else None


def volumes(pod: Pod) -> Violation | None:
    """Only volumes of the cluster's own kinds, and claims."""
    names: list[str] = []
    kinds: set[str] = set()
    for volume in pod.spec.get("volumes") or ():
        sources = {key for key, value in volume.items() if key != "name" and value is not None}
        if not sources & _VOLUMES:
            names.append(volume.get("name") or "")
            kinds |= sources or {"unknown"}
    if not names:
        return None
    shown = sorted(kinds)
    who = f"{counted('volume', 'volumes', names)} {quoted(names)}"
    word = counted("restricted volume type", "restricted volume types", shown)
    detail = f"{who} {counted('uses', 'use', names)} {word} {quoted(shown)}"
    return Violation("restricted volume types", detail)


def run_as_non_root(pod: Pod) -> Violation | None:
    """The pod, or every container, says that it does not run as root; none says that it does."""
    reason, field = "runAsNonRoot != true", "runAsNonRoot"
    by_pod = security(pod.spec, field)
    wrong = names_of(c for c in pod.containers if security(c, field) is False)
    if by_pod is False or wrong:
        who = blamed(wrong, pod=by_pod is False)
        return Violation(reason, f"{who} must not set securityContext.runAsNonRoot=false")
    silent = names_of(c for c in pod.containers if security(c, field) is None)
    if by_pod or not silent:
        return None
    return Violation(reason, f"pod or {called(silent)} must set securityContext.runAsNonRoot=true")


def run_as_user(pod: Pod) -> Violation | None:
    """Nobody runs as root by number."""
    by_pod = security(pod.spec, "runAsUser") == 0
    names = names_of(c for c in pod.containers if security(c, "runAsUser") == 0)
    if not by_pod and not names:
        return None
    return Violation("runAsUser=0", f"{blamed(names, pod=by_pod)} must not set runAsUser=0")


def required_seccomp(pod: Pod) -> Violation | None:
    """The pod, or every container, has the runtime's profile or one of the node's."""
    wrong = seccomp(pod)
    if wrong is not None:
        return wrong
    silent = names_of(c for c in pod.containers if security(c, "seccompProfile") is None)
    if security(pod.spec, "seccompProfile") is not None or not silent:
        return None
    setting = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"pod or {called(silent)} must set {setting}")
