"""Requests for the group versions of other servers: allowed here, then passed on as they are.

Streams and upgrades pass like everything else. Who asks goes along in the headers of a front proxy;
what the client says of itself does not.
"""

from dataclasses import dataclass
from typing import Any

from control_plane.api.errors import ApiError
from control_plane.apiserver.aggregation.identity import with_identity
from control_plane.apiserver.aggregation.parts import AggregationParts
from control_plane.apiserver.aggregation.remote import Remote
from control_plane.apiserver.aggregation.target import attributes_of
from control_plane.apiserver.http.answer import Answer, Reply, text_answer
from control_plane.apiserver.http.edge import Edge
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.kubelet import KubeletClient
from control_plane.apiserver.proxying.backend import Backend
from control_plane.apiserver.proxying.header_rules import (
    Header,
    request_headers,
    upgrade_headers,
)
from control_plane.apiserver.proxying.reply import ProxyReply
from control_plane.apiserver.service_endpoints import UnresolvedError
from control_plane.apiserver.subresources.upgrade_relay import UpgradeReply
from control_plane.streams.upgrade import Endpoint, UpgradeError, ask_for_upgrade, request_head

UNAVAILABLE = "service unavailable\n"


class Aggregated:
    """An ASGI application for the paths of `remotes`."""

    def __init__(self, edge: Edge, parts: AggregationParts, kubelets: KubeletClient) -> None:
        """Answer through `edge`; `kubelets` knows the streams that end when the server stops."""
        self.remotes = parts.remotes
        self._edge = edge
        self._parts = parts
        self._kubelets = kubelets

    def serves(self, scope: Any) -> bool:
        """Whether the path of an ASGI scope is another server's."""
        kind = scope["type"]
        return kind in ("http", "websocket") and self.remotes.of(scope["path"]) is not None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one ASGI scope."""
        serve = self._edge.serve_socket if scope["type"] == "websocket" else self._edge.serve
        await serve(self._handle, scope, receive, send)

    async def _handle(self, request: Request) -> Reply:
        remote = self.remotes.of(request.path)
        watches = request.query.flag("watch")
        asked = attributes_of(request.method, request.path, request.raw_path, watches=watches)
        await self._edge.admit(request, asked)
        self._edge.authorize(request, asked)
        if remote is None or not remote.is_available:
            return text_answer(UNAVAILABLE, 503)
        if watches or request.upgrade:
            request.release_seat()
        request.stop_abandoning()
        try:
            if request.upgrade:
                return await self._upgraded(remote, request)
            return self.passed_on(remote, request)
        except (UnresolvedError, ValueError):
            return text_answer(UNAVAILABLE, 503)

    def passed_on(self, remote: Remote, request: Request) -> Reply:
        """The other server's answer at the same path; ValueError when it cannot be trusted."""
        session, streams = self._parts.session.opened(), self._kubelets.streams
        return _RemoteReply(_backend(remote), "", request.raw_path, session, streams)

    async def _upgraded(self, remote: Remote, request: Request) -> Reply:
        backend = _backend(remote)
        address, port = self._parts.endpoints.address(remote.namespace, remote.service, remote.port)
        endpoint = Endpoint(address, port, backend.context, backend.host)
        query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
        host = (b"host", backend.authority.encode())
        asked = [host, *(line for line in request.header_lines if line[0] != b"host")]
        lines = with_identity(upgrade_headers(asked, request.client), request.user)
        head = request_head(request.method, f"{request.raw_path}{query}", lines)
        try:
            answer = await ask_for_upgrade(endpoint, head)
        except UpgradeError as error:
            return text_answer(f"error trying to reach service: {error}\n", 503)
        return UpgradeReply(answer, self._kubelets.streams)


def _backend(remote: Remote) -> Backend:
    return Backend("https", remote.host, remote.port, remote.tls)


@dataclass(frozen=True, slots=True)
class _RemoteReply(ProxyReply):
    """The other server's answer; what cannot be reached is a plain text, as upstream's."""

    def _refusal(self, error: ApiError, _request: Request) -> Answer:
        return text_answer(f"{error.message}\n", 503)

    def _headers(self, request: Request) -> list[Header]:
        lines = [line for line in request.header_lines if line[0] != b"host"]
        passed = request_headers(lines, request.client, request.raw_path)
        return with_identity(passed, request.user)
