"""How fast nodes may be tainted for eviction, zone by zone. Pure.

A few silent nodes are the nodes' trouble; a zone of silent nodes is probably the network's, or
ours. So eviction slows down in a zone that is partly lost, and stops when every zone is wholly
lost. Source: kubernetes pkg/controller/nodelifecycle (ComputeZoneState, handleDisruption).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from control_plane.api.objects import Object, labels_of
from control_plane.controllers.node_lifecycle.health import readiness

REGION_LABEL = "topology.kubernetes.io/region"
ZONE_LABEL = "topology.kubernetes.io/zone"
EXCLUDED_LABEL = "node.kubernetes.io/exclude-disruption"


class ZoneState(Enum):
    """How much of a zone is lost."""

    NORMAL = auto()
    PARTIAL = auto()
    FULL = auto()


@dataclass(frozen=True, slots=True)
class EvictionRates:
    """Nodes a second in a normal and in a partly lost zone, and what counts as such."""

    normal: float
    secondary: float
    large_cluster: int
    threshold: float


def zone_of(node: Object) -> str:
    """Return the zone's key, "" for a node without topology labels."""
    labels = labels_of(node)
    region, zone = labels.get(REGION_LABEL, ""), labels.get(ZONE_LABEL, "")
    return f"{region}:\0:{zone}" if region or zone else ""


def zone_states(nodes: Iterable[Object], threshold: float) -> dict[str, ZoneState]:
    """Return the state of each zone; nodes labelled as excluded do not count."""
    ready: dict[str, int] = {}
    lost: dict[str, int] = {}
    for node in nodes:
        if EXCLUDED_LABEL in labels_of(node):
            continue
        counts = ready if readiness(node) == "True" else lost
        counts[zone_of(node)] = counts.get(zone_of(node), 0) + 1
    zones = ready.keys() | lost.keys()
    return {zone: _state(ready.get(zone, 0), lost.get(zone, 0), threshold) for zone in zones}


def _state(ready: int, lost: int, threshold: float) -> ZoneState:
    if ready == 0 and lost > 0:
        return ZoneState.FULL
    if lost > 2 and lost / (lost + ready) >= threshold:
        return ZoneState.PARTIAL
    return ZoneState.NORMAL


def all_lost(states: Mapping[str, ZoneState]) -> bool:
    """Whether every zone is wholly lost; False without any."""
    return bool(states) and all(state is ZoneState.FULL for state in states.values())


def eviction_rate(state: ZoneState, size: int, rates: EvictionRates) -> float:
    """Return the nodes a second that may be tainted in a zone of `size` nodes."""
    if state is not ZoneState.PARTIAL:
        return rates.normal
    return rates.secondary if size > rates.large_cluster else 0.0
