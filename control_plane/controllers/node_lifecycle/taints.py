"""The taints that follow from a node's state. Pure.

NoSchedule taints are set at once; NoExecute ones, which evict pods, only as fast as zones.py
allows. Source: kubernetes pkg/controller/nodelifecycle (doNoScheduleTaintingPass, taint maps).
"""

from collections.abc import Sequence

from control_plane.api.objects import Object, dig, find_condition, labels_of

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
NO_SCHEDULE = "NoSchedule"
NO_EXECUTE = "NoExecute"

# condition type → status → taint key
_BY_CONDITION = {
    "Ready": {"False": NOT_READY, "Unknown": UNREACHABLE},
    "MemoryPressure": {"True": "node.kubernetes.io/memory-pressure"},
    "DiskPressure": {"True": "node.kubernetes.io/disk-pressure"},
    "PIDPressure": {"True": "node.kubernetes.io/pid-pressure"},
    "NetworkUnavailable": {"True": "node.kubernetes.io/network-unavailable"},
}
_OURS = frozenset(
    {UNSCHEDULABLE, *(key for keys in _BY_CONDITION.values() for key in keys.values())}
)
_EVICTING = (NOT_READY, UNREACHABLE)


def taints_of(node: Object) -> list[Object]:
    """Return spec.taints, empty when absent."""
    return list(dig(node, "spec", "taints", default=[]))


def _wanted_keys(node: Object) -> list[str]:
    keys = [
        by_status[condition["status"]]
        for kind, by_status in _BY_CONDITION.items()
        if (condition := find_condition(node, kind)) and condition["status"] in by_status
    ]
    return keys + ([UNSCHEDULABLE] if dig(node, "spec", "unschedulable", default=False) else [])


def with_no_schedule(node: Object, stamp: str) -> list[Object]:
    """Return the node's taints with our NoSchedule ones as its state asks for."""
    wanted = _wanted_keys(node)
    kept = [taint for taint in taints_of(node) if not _is_superfluous(taint, wanted)]
    present = {taint["key"] for taint in kept if taint["effect"] == NO_SCHEDULE}
    return kept + [_taint(key, NO_SCHEDULE, stamp) for key in wanted if key not in present]


def _is_superfluous(taint: Object, wanted: Sequence[str]) -> bool:
    ours = taint["effect"] == NO_SCHEDULE and taint["key"] in _OURS
    return ours and taint["key"] not in wanted


def evicting_key(node: Object) -> str | None:
    """Return the key of the NoExecute taint that the node should have, "" for none.

    None while it has no Ready condition: it has its startup time to post one.
    """
    ready = find_condition(node, "Ready")
    if ready is None:
        return None
    return _BY_CONDITION["Ready"].get(ready["status"], "")


def with_no_execute(node: Object, key: str, stamp: str) -> list[Object]:
    """Return the node's taints with `key` as the only one that evicts; "" for none."""
    kept = [
        taint
        for taint in taints_of(node)
        if taint["effect"] != NO_EXECUTE or taint["key"] not in _EVICTING or taint["key"] == key
    ]
    if key and not any(t["key"] == key and t["effect"] == NO_EXECUTE for t in kept):
        kept.append(_taint(key, NO_EXECUTE, stamp))
    return kept


def evicts(node: Object) -> bool:
    """Whether the node has one of the NoExecute taints that we set."""
    return any(t["key"] in _EVICTING and t["effect"] == NO_EXECUTE for t in taints_of(node))


def _taint(key: str, effect: str, stamp: str) -> Object:
    return {"key": key, "effect": effect, "timeAdded": stamp}


def missing_labels(node: Object) -> dict[str, str]:
    """Return the old names of the os and arch labels where they differ from the present ones."""
    labels = labels_of(node)
    pairs = ((f"kubernetes.io/{name}", f"beta.kubernetes.io/{name}") for name in ("os", "arch"))
    return {
        old: labels[new] for new, old in pairs if new in labels and labels.get(old) != labels[new]
    }
