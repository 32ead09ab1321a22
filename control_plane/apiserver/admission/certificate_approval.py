"""CertificateApproval: requests are approved and denied by those who may `approve` for a signer."""

from control_plane.api.go_syntax import quote
from control_plane.api.objects import dig
from control_plane.api.resources import CERTIFICATESIGNINGREQUESTS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.admission.signers import is_permitted


class CertificateApproval(Plugin):
    """Refuses updates of the approval."""

    concerns = (CERTIFICATESIGNINGREQUESTS,)

    async def check(self, review: Review) -> None:
        """Look at the stored request: an approval must not change its signer."""
        if not review.is_for(CERTIFICATESIGNINGREQUESTS, Operation.UPDATE, "approval"):
            return
        signer = dig(review.old or {}, "spec", "signerName", default="")
        if not is_permitted(self.authorizer, review.call.user, "approve", signer):
            raise review.forbidden(
                f"user not permitted to approve requests with signerName {quote(signer)}"
            )
