"""Users from client certificates: the common name is the user, organizations are groups.

TLS has verified the chain already; a certificate without a common name is nobody.
"""

from typing import Any

from control_plane.apiserver.auth.user import User, authenticated


def user_of_certificate(certificate: dict[str, Any]) -> User | None:
    """The user of a verified certificate in the form of ssl.getpeercert(), or None."""
    attributes = [pair for rdn in certificate.get("subject", ()) for pair in rdn]
    names = [value for key, value in attributes if key == "commonName"]
    if not names or not names[0]:
        return None
    groups = tuple(value for key, value in attributes if key == "organizationName")
    return authenticated(names[0], groups)
