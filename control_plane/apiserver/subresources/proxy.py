"""pods/proxy, services/proxy and nodes/proxy: any request, passed on to what they name."""

from control_plane.apiserver.http.answer import Answer, Reply
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.proxying.backend import Backend, backend_of
from control_plane.apiserver.proxying.header_rules import upgrade_headers
from control_plane.apiserver.proxying.reply import ProxyReply
from control_plane.apiserver.subresources.connecting import admit_connection
from control_plane.apiserver.subresources.upgrade_relay import relayed
from control_plane.streams.upgrade import Endpoint, request_head


async def connect(services: ApiServices, request: Request, target: Target) -> Reply:
    """Any method, with or without an upgrade."""
    await admit_connection(services, request, target)
    backend = await backend_of(services, target)
    if request.upgrade:
        return await _upgraded(services, request, target, backend)
    if not target.proxy_path and request.method in ("GET", "HEAD"):
        return _with_slash(request)
    path = target.proxy_path or "/"
    prefix = request.raw_path.removesuffix(target.proxy_path)
    kubelets = services.kubelets
    return ProxyReply(backend, prefix, path, kubelets.backends, kubelets.streams)


def _with_slash(request: Request) -> Reply:
    """Relative links of a page at the very root need the slash to be right."""
    query = b"?" + request.query_string if request.query_string else b""
    location = request.raw_path.encode("latin-1") + b"/" + query
    return Answer(301, b"", "text/plain", ((b"location", location),))


async def _upgraded(
    services: ApiServices, request: Request, target: Target, backend: Backend
) -> Reply:
    endpoint = Endpoint(backend.host, backend.port, backend.context)
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    path = f"{target.proxy_path or '/'}{query}"
    headers = upgrade_headers(request.header_lines, request.client)
    return await relayed(services, endpoint, request_head(request.method, path, headers))
