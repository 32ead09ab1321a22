"""COUNTABLES: one row per kind that quotas count by more than its number.

Every other namespaced kind is counted as `count/<plural>[.<group>]`; four of the core kinds have
an old name of their own besides. What is in IGNORED never counts.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from control_plane.api.quota import object_usage, pod_usage
from control_plane.api.quota.amounts import ONE, Usage
from control_plane.api.quota.scopes import Scope, claim_in_scope, in_no_scope, pod_in_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from control_plane.api.objects import Object

IGNORED: Final = frozenset({
    ("", "bindings"), ("", "componentstatuses"), ("", "events"), ("events.k8s.io", "events"),
    ("authentication.k8s.io", "tokenreviews"), ("authentication.k8s.io", "selfsubjectreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
})  # fmt: skip
_OLD_NAMES: Final = frozenset({
    "configmaps", "replicationcontrollers", "resourcequotas", "secrets",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Countable:
    """How a kind is counted.

    `names` picks what it uses from what a quota counts; `usage(obj, now)` is what one object uses;
    `handles(operation, subresource, new, old)` says whether a write may change that; `missing` is
    what is wrong with an object that does not say what is counted ("" for nothing).
    """

    names: Callable[[Iterable[str]], list[str]]
    usage: Callable[[Object, datetime], Usage]
    handles: Callable[[str, str, Object, Object | None], bool]
    in_scope: Callable[[Object, Scope], bool] = in_no_scope
    missing: Callable[[Object, Iterable[str]], str] = lambda _obj, _required: ""
    is_count: bool = False

    def matches(self, obj: Object, scopes: tuple[Scope, ...]) -> bool:
        """Tell whether an object is in all of the scopes."""
        return not scopes or all(self.in_scope(obj, scope) for scope in scopes)


def countable(group: str, plural: str) -> Countable | None:
    """Return how a namespaced kind is counted; None for one that never is."""
    row = COUNTABLES.get((group, plural))
    if row is not None:
        return row
    return None if (group, plural) in IGNORED else _by_number(group, plural)


@functools.lru_cache(maxsize=4096)
def _by_number(group: str, plural: str) -> Countable:
    own = {f"count/{plural}.{group}"} if group else {f"count/{plural}"}
    if not group and plural in _OLD_NAMES:
        own.add(plural)
    usage = Usage(dict.fromkeys(sorted(own), ONE))
    return Countable(
        lambda names: [name for name in names if name in own],
        lambda _obj, _now: usage,
        lambda operation, subresource, _new, _old: operation == "CREATE" and not subresource,
        is_count=True,
    )


def _writes(operation: str, subresource: str, _new: Object, _old: Object | None) -> bool:
    return operation in ("CREATE", "UPDATE") and not subresource


def _writes_volume_claim(operation: str, subresource: str, new: Object, old: Object | None) -> bool:
    if subresource == "status":
        return old is not None and object_usage.changes_volume_claim(new, old)
    return _writes(operation, subresource, new, old)


COUNTABLES: Mapping[tuple[str, str], Countable] = {
    ("", "pods"): Countable(
        pod_usage.pod_names,
        pod_usage.pod_usage,
        pod_usage.handles_pod,
        pod_in_scope,
        pod_usage.missing_amounts,
    ),
    ("", "services"): Countable(
        object_usage.service_names, lambda obj, _now: object_usage.service_usage(obj), _writes
    ),
    ("", "persistentvolumeclaims"): Countable(
        object_usage.volume_claim_names,
        lambda obj, _now: object_usage.volume_claim_usage(obj),
        _writes_volume_claim,
        claim_in_scope,
    ),
    ("resource.k8s.io", "resourceclaims"): Countable(
        object_usage.device_claim_names,
        lambda obj, _now: object_usage.device_claim_usage(obj),
        _writes,
    ),
}
