"""The checks of the level baseline: each returns what it has against a pod, or None."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.go_syntax import quote
from control_plane.api.objects import Object, dig
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
    from collections.abc import Callable, Iterator

_APP_ARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER: Final = "container.seccomp.security.alpha.kubernetes.io/"
PROFILES: Final = ("RuntimeDefault", "Localhost")
DEFAULT_CAPABILITIES: Final = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
    "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
_SELINUX: Final = frozenset({"container_t", "container_init_t", "container_kvm_t"})
_SELINUX_1_31: Final = _SELINUX | {"container_engine_t"}
_SYSCTLS: Final = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
})  # fmt: skip
_SYSCTLS_1_27: Final = _SYSCTLS | {"net.ipv4.ip_local_reserved_ports"}
_SYSCTLS_1_29: Final = _SYSCTLS_1_27 | {
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}  # fmt: skip
_SYSCTLS_1_32: Final = _SYSCTLS_1_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}


def app_armor(pod: Pod) -> Violation | None:
    """Only the runtime's profile, or one of the node's."""
    values: list[str] = []

    def is_bad(owner: Object) -> bool:
        kind = security(owner, "appArmorProfile", "type")
        if kind in (None, *PROFILES):
            return False
        values.append(kind)
        return True

    by_pod = is_bad(pod.spec)
    names = names_of(container for container in pod.containers if is_bad(container))
    setters = [blamed(names, pod=by_pod)] if by_pod or names else []
    annotated = sorted(
        f"{key}={quote(value)}"
        for key, value in pod.annotations.items()
        if key.startswith(_APP_ARMOR) and not _is_known_app_armor(value)
    )
    if annotated:
        setters.append(counted("annotation", "annotations", annotated))
    what = sorted({*values, *annotated})
    if not what:
        return None
    reason = counted("forbidden AppArmor profile", "forbidden AppArmor profiles", what)
    detail = f"{' and '.join(setters)} must not set AppArmor profile type to {quoted(what)}"
    return Violation(reason, detail)


def _is_known_app_armor(profile: str) -> bool:
    return profile in ("", "runtime/default") or profile.startswith("localhost/")


def capabilities(pod: Pod) -> Violation | None:
    """Nothing beyond what runtimes give anyway."""
    names, added = added_beyond(pod, DEFAULT_CAPABILITIES)
    if not names:
        return None
    detail = f"{called(names)} must not include {quoted(added)} in securityContext.capabilities.add"
    return Violation("non-default capabilities", detail)


def added_beyond(pod: Pod, allowed: frozenset[str]) -> tuple[list[str], list[str]]:
    """Return the containers that add other capabilities, and which."""
    names: list[str] = []
    added: set[str] = set()
    for container in pod.containers:
        beyond = set(security(container, "capabilities", "add") or ()) - allowed
        if beyond:
            names.append(container.get("name") or "")
            added |= beyond
    return names, sorted(added)


def host_namespaces(pod: Pod) -> Violation | None:
    """No namespace of the host's."""
    fields = [f for f in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(f)]
    detail = ", ".join(f"{field}=true" for field in fields)
    return Violation("host namespaces", detail) if fields else None


def host_path_volumes(pod: Pod) -> Violation | None:
    """No path of the host's."""
    volumes = pod.spec.get("volumes") or ()
    names = names_of(volume for volume in volumes if volume.get("hostPath") is not None)
    if not names:
        return None
    return Violation("hostPath volumes", f"{counted('volume', 'volumes', names)} {quoted(names)}")


def host_ports(pod: Pod) -> Violation | None:
    """No port of the host's."""
    names: list[str] = []
    ports: set[str] = set()
    for container in pod.containers:
        used = {str(p["hostPort"]) for p in container.get("ports") or () if p.get("hostPort")}
        if used:
            names.append(container.get("name") or "")
            ports |= used
    if not names:
        return None
    shown = sorted(ports)
    uses, word = counted("uses", "use", names), counted("hostPort", "hostPorts", shown)
    return Violation("hostPort", f"{called(names)} {uses} {word} {', '.join(shown)}")


def host_probes(pod: Pod) -> Violation | None:
    """Nothing but the pod itself is asked by probes and hooks."""
    names: set[str] = set()
    hosts: set[str] = set()
    for container in pod.containers:
        found = set(_hosts(container))
        if found:
            names.add(container.get("name") or "")
            hosts |= found
    if not names:
        return None
    who, shown = sorted(names), sorted(hosts)
    uses = counted("uses", "use", who)
    word = counted("probe or lifecycle host", "probe or lifecycle hosts", shown)
    return Violation("probe or lifecycle host", f"{called(who)} {uses} {word} {quoted(shown)}")


def _hosts(container: Object) -> Iterator[str]:
    hooks = container.get("lifecycle") or {}
    probes = ("livenessProbe", "readinessProbe", "startupProbe")
    for handler in (*map(container.get, probes), hooks.get("postStart"), hooks.get("preStop")):
        for way in ("httpGet", "tcpSocket"):
            host = dig(handler or {}, way, "host", default="")
            if host:
                yield host


def privileged(pod: Pod) -> Violation | None:
    """No container that may do everything."""
    names = names_of(c for c in pod.containers if security(c, "privileged"))
    detail = f"{called(names)} must not set securityContext.privileged=true"
    return Violation("privileged", detail) if names else None


def proc_mount(pod: Pod) -> Violation | None:
    """/proc is masked."""
    found = [
        (container.get("name") or "", security(container, "procMount"))
        for container in pod.containers
        if security(container, "procMount") not in (None, "Default")
    ]
    if not found:
        return None
    names, kinds = [name for name, _ in found], sorted({kind for _, kind in found})
    detail = f"{called(names)} must not set securityContext.procMount to {quoted(kinds)}"
    return Violation("procMount", detail)


def proc_mount_1_35(pod: Pod) -> Violation | None:
    """/proc is masked, or the pod has a user namespace."""
    return None if pod.has_own_users else proc_mount(pod)


def _selinux(allowed: frozenset[str]) -> Callable[[Pod], Violation | None]:
    def check(pod: Pod) -> Violation | None:
        kinds: set[str] = set()
        fields: set[str] = set()

        def is_bad(owner: Object) -> bool:
            options = security(owner, "seLinuxOptions") or {}
            kind = options.get("type") or ""
            named = {field for field in ("user", "role") if options.get(field)}
            wrong = {kind} - allowed - {""}
            kinds.update(wrong)
            fields.update(named)
            return bool(wrong or named)

        by_pod = is_bad(pod.spec)
        names = names_of(container for container in pod.containers if is_bad(container))
        if not by_pod and not names:
            return None
        shown = sorted(kinds)
        what = [f"{counted('type', 'types', shown)} {quoted(shown)}"] if shown else []
        what += [f"{field} may not be set" for field in ("user", "role") if field in fields]
        who = blamed(names, pod=by_pod)
        detail = f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(what)}"
        return Violation("seLinuxOptions", detail)

    return check


selinux = _selinux(_SELINUX)
selinux_1_31 = _selinux(_SELINUX_1_31)


def seccomp_annotations(pod: Pod) -> Violation | None:
    """What the annotations of old said: only the runtime's profile, or one of the node's."""
    keys = [_SECCOMP_POD, *(_SECCOMP_CONTAINER + name for name in names_of(pod.containers))]
    bad = sorted(
        {
            f"{key}={quote(pod.annotations[key])}"
            for key in keys
            if key in pod.annotations and not _is_known_seccomp(pod.annotations[key])
        }
    )
    if not bad:
        return None
    word = counted("annotation", "annotations", bad)
    return Violation("seccompProfile", f"forbidden {word} {', '.join(bad)}")


def _is_known_seccomp(profile: str) -> bool:
    return profile in ("runtime/default", "docker/default") or profile.startswith("localhost/")


def seccomp(pod: Pod) -> Violation | None:
    """Only the runtime's profile, or one of the node's."""
    kinds: set[str] = set()

    def is_bad(owner: Object) -> bool:
        profile: Any = security(owner, "seccompProfile")
        if profile is None or profile.get("type") in PROFILES:
            return False
        kinds.add(profile.get("type") or "")
        return True

    by_pod = is_bad(pod.spec)
    names = names_of(container for container in pod.containers if is_bad(container))
    if not by_pod and not names:
        return None
    setting = f"securityContext.seccompProfile.type to {quoted(sorted(kinds))}"
    return Violation("seccompProfile", f"{blamed(names, pod=by_pod)} must not set {setting}")


def _sysctls(allowed: frozenset[str]) -> Callable[[Pod], Violation | None]:
    def check(pod: Pod) -> Violation | None:
        set_ = [sysctl.get("name") or "" for sysctl in security(pod.spec, "sysctls") or ()]
        bad = [name for name in set_ if name not in allowed]
        return Violation("forbidden sysctls", ", ".join(bad)) if bad else None

    return check


sysctls = _sysctls(_SYSCTLS)
sysctls_1_27 = _sysctls(_SYSCTLS_1_27)
sysctls_1_29 = _sysctls(_SYSCTLS_1_29)
sysctls_1_32 = _sysctls(_SYSCTLS_1_32)


def windows_host_process(pod: Pod) -> Violation | None:
    """No process of the host's, on Windows."""
    path = ("windowsOptions", "hostProcess")
    by_pod = bool(security(pod.spec, *path))
    names = names_of(container for container in pod.containers if security(container, *path))
    if not by_pod and not names:
        return None
    setting = "securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", f"{blamed(names, pod=by_pod)} must not set {setting}")
