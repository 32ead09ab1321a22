"""ImageLocality: prefer nodes that already hold the pod's images.

An image counts with its size times the share of nodes that have it, so that one node with a rare
image does not draw every pod to itself. The sum is clamped between 23 MiB and 1000 MiB per
container.
"""

from collections.abc import Sequence

from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.plugin import MAX_NODE_SCORE
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot

NAME = "ImageLocality"
MEBIBYTE = 1024 * 1024
SMALLEST = 23 * MEBIBYTE
LARGEST_PER_CONTAINER = 1000 * MEBIBYTE


def tagged(image: str) -> str:
    """Add the tag `latest` to a name that has neither tag nor digest."""
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def pre_score(
    state: CycleState, pod: PodInfo, snapshot: Snapshot, _nodes: Sequence[NodeInfo]
) -> bool:
    """Work out the share of nodes for each of the pod's images.

    Nothing to score when no node has any.
    """
    containers = [*(pod.spec.get("containers") or ()), *(pod.spec.get("initContainers") or ())]
    images = [tagged(container.get("image") or "") for container in containers]
    count = len(snapshot.nodes)
    spread = [(image, snapshot.image_nodes.get(image, 0) / count) for image in images]
    state.write(NAME, spread)
    return any(share for _, share in spread)


def score(state: CycleState, _pod: PodInfo, node: NodeInfo) -> int:
    """Return 0..100 for the bytes that need not be pulled."""
    spread = state.read(NAME)
    present = sum(int(node.images.get(image, 0) * share) for image, share in spread)
    largest = LARGEST_PER_CONTAINER * len(spread)
    clamped = min(max(present, SMALLEST), largest)
    return MAX_NODE_SCORE * (clamped - SMALLEST) // (largest - SMALLEST)
