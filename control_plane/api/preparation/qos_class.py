"""A pod's quality of service class, from its containers' cpu and memory.

Called when a pod is created and by whoever shows or ranks pods. Pure. Source: v1.35 pod QoS
computation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api import quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from control_plane.api.objects import Object

_COUNTED: Final = ("cpu", "memory")


def qos_class(spec: Object) -> str:
    """Return "Guaranteed", "Burstable" or "BestEffort" for a pod spec.

    Pod-level resources, when set, are all that counts; ephemeral containers never do.
    """
    if spec.get("resources"):
        return _class_of([spec["resources"]])
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    return _class_of([container.get("resources") or {} for container in containers])


def _class_of(all_resources: list[Object]) -> str:
    requests = _totals(resources.get("requests") for resources in all_resources)
    limits = _totals(resources.get("limits") for resources in all_resources)
    if not requests and not limits:
        return "BestEffort"
    limited = all(_limits_both(resources.get("limits")) for resources in all_resources)
    return "Guaranteed" if limited and requests == limits else "Burstable"


def _totals(lists: Iterable[Any]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for amounts in lists:
        for name in _COUNTED:
            amount = _milli((amounts or {}).get(name))
            if amount > 0:
                totals[name] = totals.get(name, 0) + amount
    return totals


def _limits_both(limits: Any) -> bool:
    return all(_milli((limits or {}).get(name)) > 0 for name in _COUNTED)


def _milli(amount: Any) -> int:
    try:
        return quantity.milli(str(amount)) if amount is not None else 0
    except ValueError:
        return 0
