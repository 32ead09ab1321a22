"""What a namespace that comes to enforce more is told about the pods that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.go_syntax import quote

if TYPE_CHECKING:
    from collections.abc import Iterable


def pod_warnings(
    namespace: str,
    enforce: str,
    found: Iterable[tuple[str, str]],
    counts: tuple[int, int],
) -> list[str]:
    """Return the warnings: what was left out, that there are violations, and which.

    `found` has the name of each pod and its reasons ("" for none); `counts` how many were checked
    and how many there are.
    """
    by_reason: dict[str, list[str]] = {}
    for name, reasons in found:
        if reasons:
            by_reason.setdefault(reasons, []).append(name)
    checked, existing = counts
    warnings: list[str] = []
    if checked < existing:
        warnings.append(
            "new PodSecurity enforce level only checked against the first "
            f"{checked} of {existing} existing pods"
        )
    if by_reason:
        warnings.append(
            f"existing pods in namespace {quote(namespace)} violate the new PodSecurity enforce "
            f"level {quote(enforce)}"
        )
    return warnings + sorted(f"{_shown(names)}: {why}" for why, names in by_reason.items())


def _shown(names: list[str]) -> str:
    first, others = min(names), len(names) - 1
    if not others:
        return first
    return f"{first} (and {others} other {'pod' if others == 1 else 'pods'})"
