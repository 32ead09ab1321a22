"""DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or unreachable,
unless it says otherwise.
"""

from control_plane.api.objects import Object
from control_plane.api.resources import PODS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review

SECONDS = 300
TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class DefaultTolerationSeconds(Plugin):
    """Adds the two tolerations."""

    concerns = (PODS,)

    async def admit(self, review: Review) -> None:
        """Add what the pod lacks, on create and on update."""
        if review.is_for(PODS, Operation.CREATE) or review.is_for(PODS, Operation.UPDATE):
            spec = review.obj.setdefault("spec", {})
            tolerations = with_default_tolerations(spec.get("tolerations") or [])
            if tolerations:
                spec["tolerations"] = tolerations


def with_default_tolerations(tolerations: list[Object]) -> list[Object]:
    """The tolerations and, for each taint that none of them covers, one of five minutes."""
    missing = [taint for taint in TAINTS if not any(_covers(t, taint) for t in tolerations)]
    return [*tolerations, *({**_TOLERATION, "key": taint} for taint in missing)]


_TOLERATION: Object = {
    "key": "",
    "operator": "Exists",
    "effect": "NoExecute",
    "tolerationSeconds": SECONDS,
}


def _covers(toleration: Object, taint: str) -> bool:
    return toleration.get("key") in (taint, "", None) and toleration.get("effect") in (
        "NoExecute",
        "",
        None,
    )
