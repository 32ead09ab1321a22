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
    from collections.abc import Awaitable, Callable

    from datastore.tls.clients import ClientCertificates
    from datastore.tls.files import Material
    from datastore.tls.serving import Serving

    Context = grpc.aio.ServicerContext[Any, Any]
    Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]


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


class JudgeClients(grpc.aio.ServerInterceptor):
    """Refuses every call of a client whose certificate is not let in; others see no difference.

    Calls on listeners without TLS have no certificate, and pass.
    """

    def __init__(self, clients: ClientCertificates) -> None:
        self._clients = clients

    async def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> Any:
        """Return the call's handler with the question in front of it."""
        handler = await continuation(details)
        made: Any
        if handler.unary_unary:
            made, inner = grpc.unary_unary_rpc_method_handler, handler.unary_unary
        elif handler.unary_stream:
            made, inner = grpc.unary_stream_rpc_method_handler, handler.unary_stream
        elif handler.stream_unary:
            made, inner = grpc.stream_unary_rpc_method_handler, handler.stream_unary
        else:
            made, inner = grpc.stream_stream_rpc_method_handler, handler.stream_stream

        async def judged(request: Any, context: Context) -> Any:
            await self._judge(context)
            return await inner(request, context)

        return made(judged, handler.request_deserializer, handler.response_serializer)

    async def _judge(self, context: Context) -> None:
        known = context.auth_context()
        chain = b"".join(pem for part in SHOWN for pem in known.get(part, ()))
        if chain:
            refusal = await self._clients.refusal(chain, peer_host(context.peer()))
            if refusal:
                await context.abort(grpc.StatusCode.PERMISSION_DENIED, refusal)


def peer_host(peer: str) -> str:
    """Return the IP address in gRPC's name of a peer (`ipv4:1.2.3.4:5`), "" for a unix socket."""
    kind, _, address = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return ""
    host = unquote(address).rpartition(":")[0].strip("[]").partition("%")[0]
    found = ipaddress.ip_address(host)
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)
