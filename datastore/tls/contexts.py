"""The `ssl` context of HTTPS listeners: the same files and rules as gRPC's, read again likewise."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from datastore.tls.ciphers import openssl_names
from datastore.tls.handshakes import Handshake

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from datastore.tls.files import Certificates, Material
    from datastore.tls.options import TlsOptions

VERSIONS = {"TLS1.2": ssl.TLSVersion.TLSv1_2, "TLS1.3": ssl.TLSVersion.TLSv1_3}


class _Forgetful(ssl.SSLContext):
    """Makes each connection in a context of its own, where no session of another can be found.

    A resumed session is not verified anew, and has forgotten all but the first certificate: its
    client would stay after his authority was removed. Without tickets OpenSSL still resumes the
    sessions of TLS 1.2 by their number, out of a memory that each context has and `ssl` cannot
    turn off.
    """

    first: Callable[[], ssl.SSLContext]

    def wrap_bio(self, *args: Any, **named: Any) -> ssl.SSLObject:
        """Begin a connection; what event loops do with a context."""
        return self.first().wrap_bio(*args, **named)


def server_context(options: TlsOptions, certificates: Certificates) -> ssl.SSLContext:
    """Return a context whose every handshake uses the newest certificate and authorities."""
    used = certificates.current()
    newest = [(used, _context(options, used))]

    def refresh(connection: Any, _name: str | None, _context_of: ssl.SSLContext) -> None:
        material = certificates.current()
        if material is not newest[0][0]:
            newest[0] = (material, _context(options, material))
        connection.context = newest[0][1]

    def first() -> ssl.SSLContext:
        context = _rules(options)
        context.sni_callback = refresh
        return context

    if not options.asks_clients:
        return first()
    forgetful = _Forgetful(ssl.PROTOCOL_TLS_SERVER)
    forgetful.first = first
    return forgetful


def shown_chain(connection: Any) -> bytes:
    """Return the certificates that the client of an SSLObject has shown, its own first, as PEM."""
    # Public only from Python 3.13 on; what `getpeercert` tells is the client's own alone.
    shown = connection._sslobj.get_unverified_chain() or ()
    return "".join(certificate.public_bytes() for certificate in shown).encode()


def _context(options: TlsOptions, material: Material) -> ssl.SSLContext:
    context = _rules(options)
    material.load_pair(context)
    if options.asks_clients:
        context.load_verify_locations(cadata=material.authorities.decode("latin-1"))
    return context


def _rules(options: TlsOptions) -> ssl.SSLContext:
    """Return a context without certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = Handshake
    context.minimum_version = VERSIONS[options.min_version or "TLS1.2"]
    _choose_suites(context, options.cipher_suites)
    if options.asks_clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    return context


def _choose_suites(context: ssl.SSLContext, suites: Sequence[str]) -> None:
    """Offer no TLS 1.2 but with these suites, if there are some."""
    if names := openssl_names(suites):
        context.set_ciphers(":".join(names))
    elif suites:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
