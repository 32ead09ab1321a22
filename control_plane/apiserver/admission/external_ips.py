"""DenyServiceExternalIPs: services get no external addresses that they do not have already.

Off by default. Source: the plugin of Kubernetes v1.35.
"""

from control_plane.api.objects import Object, dig
from control_plane.api.resources import SERVICES
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review


class DenyServiceExternalIPs(Plugin):
    """Refuses new addresses."""

    concerns = (SERVICES,)

    async def check(self, review: Review) -> None:
        """Look at what is new."""
        writes = (Operation.CREATE, Operation.UPDATE)
        if not any(review.is_for(SERVICES, operation) for operation in writes):
            return
        if _addresses(review.obj) - _addresses(review.old or {}):
            raise review.forbidden("Use of external IPs is denied by admission control")


def _addresses(service: Object) -> set[str]:
    return set(dig(service, "spec", "externalIPs", default=[]) or ())
