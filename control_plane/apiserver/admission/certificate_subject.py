"""CertificateSubjectRestriction: nobody becomes a master of the cluster by a certificate."""

from control_plane.api.certificate_pem import request_organizations
from control_plane.api.objects import dig
from control_plane.api.resources import CERTIFICATESIGNINGREQUESTS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.user import MASTERS_GROUP

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"


class CertificateSubjectRestriction(Plugin):
    """Refuses requests to the signer of clients."""

    concerns = (CERTIFICATESIGNINGREQUESTS,)

    async def check(self, review: Review) -> None:
        """Look at the subject of new requests."""
        if not review.is_for(CERTIFICATESIGNINGREQUESTS, Operation.CREATE):
            return
        if dig(review.obj, "spec", "signerName") != CLIENT_SIGNER:
            return
        request = dig(review.obj, "spec", "request", default="")
        if MASTERS_GROUP in request_organizations(request):
            raise review.forbidden(
                f"use of {CLIENT_SIGNER} signer with {MASTERS_GROUP} group is not allowed"
            )
