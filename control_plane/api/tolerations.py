"""Which tolerations another one covers, and lists of them merged.

Source: v1.35 tolerations of the scheduler's and admission's helpers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.semantics import semantically_equal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.api.objects import Object


def merged(first: Sequence[Object], second: Sequence[Object]) -> list[Object]:
    """Return both lists as one, without what another of them covers; the first of equals stays."""
    everything = [*first, *second]
    kept: list[Object] = []
    for index, toleration in enumerate(everything):
        later = everything[index + 1 :]
        if any(covers(other, toleration) for other in kept):
            continue
        if any(not semantically_equal(toleration, o) and covers(o, toleration) for o in later):
            continue
        kept.append(toleration)
    return kept


def covers(wider: Object, toleration: Object) -> bool:
    """Tell whether everything that `toleration` tolerates is tolerated by `wider` too."""
    if semantically_equal(wider, toleration):
        return True
    operator = wider.get("operator") or "Equal"
    if _key(toleration) != _key(wider) and (_key(wider) or operator != "Exists"):
        return False
    effect = wider.get("effect") or ""
    if effect and effect != (toleration.get("effect") or ""):
        return False
    if effect == "NoExecute" and not _lasts(wider, toleration):
        return False
    if operator == "Exists":
        return True
    is_same = (toleration.get("operator") or "Equal") == operator
    return operator == "Equal" and is_same and _value(wider) == _value(toleration)


def _lasts(wider: Object, toleration: Object) -> bool:
    longest, wanted = wider.get("tolerationSeconds"), toleration.get("tolerationSeconds")
    return longest is None or (wanted is not None and wanted <= longest)


def _key(toleration: Object) -> str:
    return toleration.get("key") or ""


def _value(toleration: Object) -> str:
    return toleration.get("value") or ""
