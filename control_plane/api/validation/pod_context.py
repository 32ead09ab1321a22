"""What the rules of a container need to know of the pod around it.

Made once per pod spec by pod_spec.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from control_plane.api.objects import Object


@dataclass(frozen=True, slots=True)
class PodContext:
    """volumes: by name. claims: names of the pod's resource claims. is_template: rules are laxer.

    name: the pod's, "" in templates. annotations: of the pod or template.
    """

    spec: Object
    volumes: dict[str, Object] = field(default_factory=dict)
    claims: tuple[str, ...] = ()
    is_template: bool = False
    name: str = ""

    @property
    def host_network(self) -> bool:
        """Tell whether the pod shares the node's network."""
        return bool(self.spec.get("hostNetwork"))

    @property
    def grace_seconds(self) -> int:
        """The time the pod gets to end, in seconds."""
        return int(self.spec.get("terminationGracePeriodSeconds") or 0)
