"""What the containers of a pod request together.

Application containers and sidecars (init containers that restart always) run together; an ordinary
init container runs beside the sidecars started before it. The pod needs the largest of these
moments, resource by resource. Amounts are integers in whatever unit `of_container` counts.

Called by defaulting, validation and the scheduler. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from control_plane.api import quantity

if TYPE_CHECKING:
    from control_plane.api.objects import Object

ResourceList = Mapping[str, int]


def add(left: ResourceList, right: ResourceList) -> dict[str, int]:
    """Sum two resource lists; a resource missing on one side counts 0."""
    total = dict(left)
    for name, amount in right.items():
        total[name] = total.get(name, 0) + amount
    return total


def largest(left: ResourceList, right: ResourceList) -> dict[str, int]:
    """Return the larger amount of each resource."""
    both = dict(left)
    for name, amount in right.items():
        both[name] = max(both.get(name, 0), amount)
    return both


def is_sidecar(init_container: Object) -> bool:
    """Tell whether an init container keeps running beside the application."""
    return init_container.get("restartPolicy") == "Always"


def requested_together(
    spec: Object, of_container: Callable[[Object], ResourceList]
) -> dict[str, int]:
    """Return what a pod spec's containers need at once; pod-level resources do not count."""
    total: dict[str, int] = {}
    for container in spec.get("containers") or ():
        total = add(total, of_container(container))
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in spec.get("initContainers") or ():
        request = of_container(container)
        if is_sidecar(container):
            total, sidecars = add(total, request), add(sidecars, request)
            peak = largest(peak, sidecars)
        else:
            peak = largest(peak, add(sidecars, request))
    return largest(total, peak)


def aggregate_request(spec: Object, name: str) -> int:
    """Return the containers' request of one resource in thousandths; 0 for what is no quantity."""
    found = requested_together(spec, lambda container: {name: _request(container, name)})
    return found.get(name, 0)


def _request(container: Object, name: str) -> int:
    amount = ((container.get("resources") or {}).get("requests") or {}).get(name)
    try:
        return quantity.milli(str(amount)) if amount is not None else 0
    except ValueError:
        return 0
