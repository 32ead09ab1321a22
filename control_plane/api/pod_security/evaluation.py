"""CHECKS: the table of all checks, in the order in which they are asked; and the asking.

A check may have changed with versions: the newest that is not newer than the version asked for
counts. A check of the level restricted may stand in for one of baseline, from the version that it
exists in.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from control_plane.api.pod_security import baseline, restricted
from control_plane.api.pod_security.policy import BASELINE, PRIVILEGED, RESTRICTED, Standard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.pod_security.violation import Pod, Violation

    Rule = Callable[[Pod], Violation | None]

NEWEST: Final = 35


@dataclass(frozen=True, slots=True)
class Check:
    """A check of a level: its rule from each minor version on, and the id it stands in for."""

    id: str
    level: str
    versions: Mapping[int, Rule]
    instead_of: str = ""

    def at(self, minor: int) -> Rule | None:
        """The rule in v1.`minor`; None before the check existed."""
        since = [first for first in self.versions if first <= minor]
        return self.versions[max(since)] if since else None


CHECKS: tuple[Check, ...] = (
    Check("appArmorProfile", BASELINE, {0: baseline.app_armor}),
    Check("capabilities_baseline", BASELINE, {0: baseline.capabilities}),
    Check("hostNamespaces", BASELINE, {0: baseline.host_namespaces}),
    Check("hostPathVolumes", BASELINE, {0: baseline.host_path_volumes}),
    Check("hostPorts", BASELINE, {0: baseline.host_ports}),
    Check("hostProbesAndHostLifecycle", BASELINE, {34: baseline.host_probes}),
    Check("privileged", BASELINE, {0: baseline.privileged}),
    Check("procMount", BASELINE, {0: baseline.proc_mount, 35: baseline.proc_mount_1_35}),
    Check("seLinuxOptions", BASELINE, {0: baseline.selinux, 31: baseline.selinux_1_31}),
    Check(
        "seccompProfile_baseline",
        BASELINE,
        {0: baseline.seccomp_annotations, 19: baseline.seccomp},
    ),
    Check(
        "sysctls",
        BASELINE,
        {
            0: baseline.sysctls,
            27: baseline.sysctls_1_27,
            29: baseline.sysctls_1_29,
            32: baseline.sysctls_1_32,
        },
    ),
    Check("windowsHostProcess", BASELINE, {0: baseline.windows_host_process}),
    Check(
        "allowPrivilegeEscalation",
        RESTRICTED,
        {
            8: restricted.privilege_escalation,
            25: restricted.but_on_windows(restricted.privilege_escalation),
        },
    ),
    Check(
        "capabilities_restricted",
        RESTRICTED,
        {22: restricted.capabilities, 25: restricted.but_on_windows(restricted.capabilities)},
        "capabilities_baseline",
    ),
    Check("procMount_restricted", RESTRICTED, {35: baseline.proc_mount}, "procMount"),
    Check("restrictedVolumes", RESTRICTED, {0: restricted.volumes}, "hostPathVolumes"),
    Check(
        "runAsNonRoot",
        RESTRICTED,
        {
            0: restricted.run_as_non_root,
            35: restricted.but_with_own_users(restricted.run_as_non_root),
        },
    ),
    Check(
        "runAsUser",
        RESTRICTED,
        {23: restricted.run_as_user, 35: restricted.but_with_own_users(restricted.run_as_user)},
    ),
    Check(
        "seccompProfile_restricted",
        RESTRICTED,
        {
            19: restricted.required_seccomp,
            25: restricted.but_on_windows(restricted.required_seccomp),
        },
        "seccompProfile_baseline",
    ),
)


def violations(standard: Standard, pod: Pod) -> list[Violation]:
    """Return what a standard has against a pod, in the order of CHECKS."""
    found = (rule(pod) for rule in rules(standard.level, min(standard.minor, NEWEST)))
    return [violation for violation in found if violation is not None]


@functools.lru_cache(maxsize=3 * (NEWEST + 1))
def rules(level: str, minor: int) -> tuple[Rule, ...]:
    """Return the rules of a level in v1.`minor`."""
    if level == PRIVILEGED:
        return ()
    levels = (BASELINE,) if level == BASELINE else (BASELINE, RESTRICTED)
    known = [(check, check.at(minor)) for check in CHECKS if check.level in levels]
    present = [(check, rule) for check, rule in known if rule is not None]
    replaced = {check.instead_of for check, _ in present}
    return tuple(rule for check, rule in present if check.id not in replaced)


def detail_of(found: list[Violation]) -> str:
    """Return violations as messages show them."""
    return ", ".join(map(str, found))


def reasons_of(found: list[Violation]) -> str:
    """Return only the reasons."""
    return ", ".join(violation.reason for violation in found)
