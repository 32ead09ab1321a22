"""What the containers of a pod request together, as scheduling counts it.

Ordinary init containers run one at a time, so their largest request counts; init containers that
always restart run beside everything after them. Called by defaulting and validation. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api import quantity

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def aggregate_request(spec: Object, name: str) -> int:
    """Return the pod's request of one resource in thousandths; pod-level resources do not count."""
    running = sum(_request(container, name) for container in spec.get("containers") or [])
    sidecars = highest = 0
    for container in spec.get("initContainers") or []:
        if container.get("restartPolicy") == "Always":
            sidecars += _request(container, name)
            highest = max(highest, sidecars)
        else:
            highest = max(highest, sidecars + _request(container, name))
    return max(running + sidecars, highest)


def _request(container: Object, name: str) -> int:
    amount = ((container.get("resources") or {}).get("requests") or {}).get(name)
    try:
        return quantity.milli(str(amount)) if amount is not None else 0
    except ValueError:
        return 0
