"""What a probe is: one function a type, given a target, returning an outcome.

Called by probes/prober.py; implemented by the rows of probes.PROBES.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from node.kubelet.runtimes.base import Runtime

Result = Literal["success", "failure", "unknown"]
OUTPUT_BYTES = 10 * 1024
USER_AGENT = "kube-probe/1.35"


class ProbeTrouble(Exception):
    """The probe itself could not be made; it is tried again and does not count."""


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """Whom to ask: `action` is what stands under the type's key, `address` the pod's."""

    runtime: Runtime
    container: Object
    container_id: str
    address: str
    action: Object
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one probe found; `output` is shown in the Unhealthy event."""

    success: bool
    output: str = ""
    warning: bool = False


Probe = Callable[[ProbeTarget], Awaitable[Outcome]]


def port_number(container: Object, port: object) -> int:
    """Return a port given by number or by name; ProbeTrouble when there is no such name."""
    text = str(port)
    if text.isdigit():
        return int(text)
    for entry in container.get("ports") or ():
        if entry.get("name") == text:
            return int(entry["containerPort"])
    raise ProbeTrouble(f'couldn\'t find port: "{text}" in container {container["name"]}')
