"""What a server needs to serve with TLS, made once at the start from the options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from datastore.tls import self_signed
from datastore.tls.clients import ClientCertificates
from datastore.tls.contexts import server_context
from datastore.tls.files import Certificates, system_authorities

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from datastore.tls.options import TlsOptions


@dataclass(frozen=True, slots=True)
class Serving:
    """The rotating files, the context of HTTPS, and who judges clients (None: nobody has to)."""

    certificates: Certificates
    context: ssl.SSLContext
    clients: ClientCertificates | None
    asks_clients: bool


def serving(options: TlsOptions, hosts: Iterable[str]) -> Serving | None:
    """Read or make the certificates; None without any. ConfigError names a file and its fault.

    `hosts` are names and addresses that a generated certificate is for.
    """
    if not options.given:
        return None
    files = (options.cert_file, options.key_file)
    if options.auto:
        files = self_signed.ensure(options.directory, hosts, options.validity_years)
    authorities = options.trusted_ca_file
    if options.asks_clients and not authorities:
        authorities = system_authorities()
    certificates = Certificates(*files, authorities)
    return Serving(
        certificates,
        server_context(options, certificates),
        ClientCertificates(options) if options.judges_clients else None,
        options.asks_clients,
    )
