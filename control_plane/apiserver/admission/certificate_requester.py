"""CertificateSigningRequests say who asks: the user of the request, whatever the client wrote."""

from control_plane.api.resources import CERTIFICATESIGNINGREQUESTS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review

_IDENTITY = ("username", "uid", "groups", "extra")


class CertificateRequester(Plugin):
    """Sets spec.username, groups and the rest of a new request."""

    concerns = (CERTIFICATESIGNINGREQUESTS,)

    async def finish(self, review: Review) -> None:
        """Replace what the client, or a webhook, says of the requester."""
        if not review.is_for(CERTIFICATESIGNINGREQUESTS, Operation.CREATE):
            return
        spec = dict(review.obj.get("spec") or {})
        for field in _IDENTITY:
            spec.pop(field, None)
        user = review.call.user
        spec |= {"username": user.name, "groups": list(user.groups)}
        if user.uid:
            spec["uid"] = user.uid
        if user.extra:
            spec["extra"] = {key: list(values) for key, values in user.extra.items()}
        review.obj["spec"] = spec
