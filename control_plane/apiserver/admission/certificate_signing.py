"""CertificateSigning: certificates and conditions are set by those who may `sign` for a signer."""

from control_plane.api.go_syntax import quote
from control_plane.api.objects import dig
from control_plane.api.resources import CERTIFICATESIGNINGREQUESTS
from control_plane.api.semantics import semantically_equal
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.admission.signers import is_permitted


class CertificateSigning(Plugin):
    """Refuses updates of the status."""

    concerns = (CERTIFICATESIGNINGREQUESTS,)

    async def check(self, review: Review) -> None:
        """Look at changes of the certificate and of the conditions."""
        if not review.is_for(CERTIFICATESIGNINGREQUESTS, Operation.UPDATE, "status"):
            return
        if all(_is_same(review, field) for field in ("certificate", "conditions")):
            return
        signer = dig(review.old or {}, "spec", "signerName", default="")
        if not is_permitted(self.authorizer, review.call.user, "sign", signer):
            raise review.forbidden(
                f"user not permitted to sign requests with signerName {quote(signer)}"
            )


def _is_same(review: Review, field: str) -> bool:
    new, old = (dig(obj or {}, "status", field) for obj in (review.obj, review.old))
    return semantically_equal(new, old)
