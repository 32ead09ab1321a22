"""PodTopologyLabels: a pod that is created on a node has the node's zone and region as labels.

Pods that a scheduler binds get them with the binding. Source: v1.35 PodTopologyLabels.
"""

from control_plane.api.objects import Object, dig, labels_of
from control_plane.api.resources import NODES, PODS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review

TOPOLOGY_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


class PodTopologyLabels(Plugin):
    """Sets the labels."""

    concerns = (PODS,)

    async def admit(self, review: Review) -> None:
        """Look at new pods that name a node."""
        if not review.is_for(PODS, Operation.CREATE):
            return
        name = dig(review.obj, "spec", "nodeName", default="")
        if name:
            copy_topology(review.obj, await self.collections.find(NODES, "", name))


def copy_topology(pod: Object, node: Object | None) -> None:
    """Give the pod the zone and region of its node, if those are known."""
    labels = labels_of(node or {})
    found = {key: labels[key] for key in TOPOLOGY_LABELS if key in labels}
    if found:
        pod["metadata"]["labels"] = {**labels_of(pod), **found}
