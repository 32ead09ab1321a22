"""Users from client certificates: the common name is the user, organizations are groups.

TLS has verified the chain already; a certificate without a common name is nobody.
"""

from typing import Any

from control_plane.apiserver.auth.user import CREDENTIAL_ID, User, authenticated


def user_of_certificate(certificate: dict[str, Any], fingerprint: str) -> User | None:
    """The user of a verified certificate in the form of ssl.getpeercert(), or None.

    `fingerprint` is the SHA-256 of its DER form in hexadecimal.
    """
    attributes = [pair for rdn in certificate.get("subject", ()) for pair in rdn]
    names = [value for key, value in attributes if key == "commonName"]
    if not names or not names[0]:
        return None
    groups = tuple(value for key, value in attributes if key == "organizationName")
    extra = {CREDENTIAL_ID: (f"X509SHA256={fingerprint}",)}
    return authenticated(names[0], groups, extra=extra)
