"""The cluster as one scheduling cycle sees it.

A snapshot never changes while a decision is made: nodes are immutable, and the decision runs
without awaiting, so the image counts it shares with the cache stand still too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest

from control_plane.scheduler.framework.node_info import NodeInfo


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Nodes in evaluation order, the same by name, and how many nodes hold each image."""

    nodes: tuple[NodeInfo, ...]
    by_name: Mapping[str, NodeInfo]
    image_nodes: Mapping[str, int]

    @classmethod
    def of(cls, nodes: Iterable[NodeInfo]) -> "Snapshot":
        """Take a snapshot of loose nodes, in the order of `interleave_zones`."""
        by_name = {node.name: node for node in nodes}
        counts: dict[str, int] = {}
        for node in by_name.values():
            for image in node.images:
                counts[image] = counts.get(image, 0) + 1
        ordered = tuple(by_name[name] for name in interleave_zones(by_name.values()))
        return cls(ordered, by_name, counts)


def interleave_zones(nodes: Iterable[NodeInfo]) -> list[str]:
    """Return the node names with one node of each zone in turn.

    Zones and their nodes keep the order given.
    """
    zones: dict[str, list[str]] = {}
    for node in nodes:
        zones.setdefault(node.zone, []).append(node.name)
    rounds = zip_longest(*zones.values())
    return [name for name in chain.from_iterable(rounds) if name is not None]
