"""Claims with administrator's access to devices: only in namespaces that are labelled for it.

Source: the strategies of ResourceClaim and ResourceClaimTemplate, Kubernetes v1.35.
"""

from control_plane.api.errors import Invalid
from control_plane.api.field_error import forbidden
from control_plane.api.objects import Object, dig, labels_of, name_of
from control_plane.api.resources import NAMESPACES, RESOURCECLAIMS, RESOURCECLAIMTEMPLATES
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review

LABEL = "resource.kubernetes.io/admin-access"
_TEXT = f"admin access to devices requires the `{LABEL}: true` label on the containing namespace"
_SPECS = {RESOURCECLAIMS: ("spec",), RESOURCECLAIMTEMPLATES: ("spec", "spec")}


class DeviceAdminAccess(Plugin):
    """Refuses a claim that asks for it elsewhere."""

    concerns = tuple(_SPECS)

    async def check(self, review: Review) -> None:
        """Look at new claims and templates; their specs do not change later."""
        path = _SPECS.get(review.resource)
        if path is None or review.operation is not Operation.CREATE:
            return
        if not _asks_for_it(dig(review.obj, *path, default={})):
            return
        namespace = await self.collections.find(NAMESPACES, "", review.namespace)
        if labels_of(namespace or {"metadata": {}}).get(LABEL) != "true":
            raise Invalid.of(review.resource, name_of(review.obj), [forbidden("", _TEXT)])


def _asks_for_it(spec: Object) -> bool:
    requests = dig(spec, "devices", "requests", default=[])
    return any(dig(request, "exactly", "adminAccess") is True for request in requests)
