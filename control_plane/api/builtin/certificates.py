"""The rows of who is who: certificates.k8s.io."""

from __future__ import annotations

from control_plane.api.resource import STATUS, Resource, Subresource

CERTIFICATESIGNINGREQUESTS = Resource(
    "certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", False,
    ("csr",), subresources=(Subresource("approval"), STATUS),
)  # fmt: skip

ROWS = (CERTIFICATESIGNINGREQUESTS,)
