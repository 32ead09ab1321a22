"""Who calls: the credentials in a call's metadata and in its client certificate. Pure.

As in etcd the `token` header counts before `authorization`, `Bearer ` before a token is dropped,
and the first value of a header is the one. A certificate is looked at only with --client-cert-auth,
and never for a call that the HTTP gateway makes for somebody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.mvcc.auth.model import Credentials
from datastore.tls.clients import common_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TOKEN, AUTHORIZATION, GATEWAY = "token", "authorization", "grpcgateway-accept"
BEARER = "Bearer "
CERTIFICATE = "x509_pem_cert"


def credentials(
    metadata: Iterable[tuple[str, str | bytes]],
    certificate: Mapping[str, Iterable[bytes]] | None = None,
) -> Credentials:
    """Return what a call brings."""
    token = authorization = None
    gateway = False
    for name, value in metadata:
        if name == TOKEN and token is None:
            token = value
        elif name == AUTHORIZATION and authorization is None:
            authorization = value
        elif name == GATEWAY:
            gateway = True
    found = authorization if token is None else token
    named = None if gateway or not certificate else _common_name(certificate)
    return Credentials(None if found is None else _text(found).removeprefix(BEARER), named)


def _common_name(certificate: Mapping[str, Iterable[bytes]]) -> str | None:
    """Return the name in a certificate, empty if it has none; None without a certificate."""
    # Not x509_common_name, which is the first where a certificate has several.
    for pem in certificate.get(CERTIFICATE, ()):
        return common_name(pem)
    return None


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")
