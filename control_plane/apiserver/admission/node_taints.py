"""TaintNodesByCondition: a new node takes no pods until it has said that it is ready."""

from control_plane.api.resources import NODES
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review

_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class TaintNodesByCondition(Plugin):
    """Adds the not-ready taint to new nodes."""

    concerns = (NODES,)

    async def admit(self, review: Review) -> None:
        """Append the taint if it is missing."""
        if not review.is_for(NODES, Operation.CREATE):
            return
        spec = review.obj.setdefault("spec", {})
        taints = spec.get("taints") or []
        if not any(_is_not_ready(taint) for taint in taints):
            spec["taints"] = [*taints, dict(_NOT_READY)]


def _is_not_ready(taint: dict[str, object]) -> bool:
    return all(taint.get(key) == value for key, value in _NOT_READY.items())
