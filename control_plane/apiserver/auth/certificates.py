"""Peers from client certificates: the common name is the user, organizations are groups.

TLS has verified the chain already, to an authority of users or of front proxies; a certificate
without a common name is nobody. Source: the x509 authenticator of Kubernetes v1.35.
"""

import hashlib
import ssl
from dataclasses import dataclass
from typing import Any

from control_plane.apiserver.auth.user import CREDENTIAL_ID, User, authenticated

UID_ATTRIBUTE = "1.3.6.1.4.1.57683.2"


class ServerContext(ssl.SSLContext):
    """The listening side, which knows whose certificates are users and whose front proxies.

    Both are authorities in DER, which may be the same; no `proxies` mean that all peers are users.
    """

    users: frozenset[bytes] = frozenset()
    proxies: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a connection, until `expires`, in seconds since 1970.

    `name` is the common name; `user` is None for who has an `objection`, and for a front proxy
    (`is_proxy`) whose authority is not one of users.
    """

    name: str
    expires: float
    user: User | None = None
    is_proxy: bool = False
    objection: str = ""


def peer_of(tls: Any) -> Peer | None:
    """The peer of an ssl.SSLObject after its handshake; None without a certificate."""
    der = tls.getpeercert(binary_form=True)
    if not der:
        return None
    certificate = tls.getpeercert() or {}
    expires = float(ssl.cert_time_to_seconds(certificate["notAfter"]))
    context = tls.context
    proxies = context.proxies if isinstance(context, ServerContext) else frozenset()
    root = _root(tls) if proxies else b""
    name, is_proxy = "".join(_values(certificate, "commonName")[-1:]), root in proxies
    if proxies and root not in context.users:
        objection = "" if is_proxy else "the certificate is of no authority of users"
        return Peer(name, expires, is_proxy=is_proxy, objection=objection)
    try:
        user = user_of_certificate(certificate, hashlib.sha256(der).hexdigest())
    except ValueError as error:
        return Peer(name, expires, is_proxy=is_proxy, objection=str(error))
    return Peer(name, expires, user, is_proxy)


def user_of_certificate(certificate: dict[str, Any], fingerprint: str) -> User | None:
    """The user of a verified certificate in the form of ssl.getpeercert(), or None.

    `fingerprint` is the SHA-256 of its DER form in hexadecimal. ValueError for a bad uid.
    """
    names, uids = _values(certificate, "commonName"), _values(certificate, UID_ATTRIBUTE)
    if not names or not names[-1]:
        return None
    if len(uids) > 1:
        raise ValueError(f"expected 1 UID, but found multiple: [{' '.join(uids)}]")
    if uids and not uids[0]:
        raise ValueError("UID cannot be an empty string")
    groups = tuple(_values(certificate, "organizationName"))
    extra = {CREDENTIAL_ID: (f"X509SHA256={fingerprint}",)}
    return authenticated(names[-1], groups, "".join(uids), extra)


def _values(certificate: dict[str, Any], wanted: str) -> list[str]:
    pairs = (pair for rdn in certificate.get("subject", ()) for pair in rdn)
    return [value for key, value in pairs if key == wanted]


def _root(tls: Any) -> bytes:
    """The authority at the end of the verified chain, in DER.

    Only the C object tells before Python 3.13, where ssl.SSLObject does.
    """
    chain = tls._sslobj.get_verified_chain()
    return ssl.PEM_cert_to_DER_cert(chain[-1].public_bytes()) if chain else b""
