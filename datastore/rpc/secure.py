"""TLS of the gRPC listeners: credentials that follow their files, and the judging of clients.

A client whose certificate no authority has signed does not get through the handshake; gRPC lets
nobody ask more at that point, so what else etcd asks of a certificate is asked before every call.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import grpc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from datastore.tls.clients import ClientCertificates
    from datastore.tls.files import Material
    from datastore.tls.serving import Serving

    Certificate = Mapping[str, Iterable[bytes]]


SHOWN = ("x509_pem_cert", "x509_pem_cert_chain")  # a server has the first not in the second


def credentials(tls: Serving) -> grpc.ServerCredentials:
    """Return credentials that take the newest material at every handshake."""
    certificates = tls.certificates
    used = [certificates.current()]

    def newest() -> Any:
        material = certificates.current()
        if material is used[0]:
            return None
        used[0] = material
        return _configuration(material)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(used[0]), newest, require_client_authentication=tls.asks_clients
    )


def _configuration(material: Material) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(material.key, material.certificate)], root_certificates=material.authorities or None
    )


async def refusal(clients: ClientCertificates, known: Certificate, peer: str) -> str:
    """Return why a call's client is not let in, "" for one that is.

    `known` is what TLS knows of it: nothing, on a listener without TLS, and such calls pass.
    """
    chain = b"".join(pem for part in SHOWN for pem in known.get(part, ()))
    return await clients.refusal(chain, peer_host(peer)) if chain else ""


def peer_host(peer: str) -> str:
    """Return the IP address in gRPC's name of a peer (`ipv4:1.2.3.4:5`), "" for a unix socket."""
    kind, _, address = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return ""
    host = unquote(address).rpartition(":")[0].strip("[]").partition("%")[0]
    found = ipaddress.ip_address(host)
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)
