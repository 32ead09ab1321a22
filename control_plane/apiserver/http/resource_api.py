"""The resource paths: from URL and method to a verb's function, once the user may.

VERBS and SUBRESOURCES are the tables; a subresource without a row of its own in SUBRESOURCES is a
half of its parent (status) and handled by the verbs themselves.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.routing import BaseRoute, Match

from control_plane.api.errors import MethodNotAllowed, NotFound, Unauthorized
from control_plane.apiserver.auth.authz import Attributes, authorize
from control_plane.apiserver.http import verbs
from control_plane.apiserver.http.answer import Reply, text_answer
from control_plane.apiserver.http.edge import Edge
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target, parse_target, unserved_subresource
from control_plane.apiserver.subresources import SUBRESOURCES

Function = Callable[[ApiServices, Request, Target], Awaitable[Reply]]

# (method, whether the URL names an object): the verb and its function
VERBS: Mapping[tuple[str, bool], tuple[str, Function]] = {
    ("POST", False): ("create", verbs.create),
    ("GET", True): ("get", verbs.read),
    ("HEAD", True): ("get", verbs.read),
    ("GET", False): ("list", verbs.read_many),
    ("HEAD", False): ("list", verbs.read_many),
    ("PUT", True): ("update", verbs.update),
    ("PATCH", True): ("patch", verbs.patch),
    ("DELETE", True): ("delete", verbs.delete),
    ("DELETE", False): ("deletecollection", verbs.delete_many),
}
_SUBRESOURCE_VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}


class ResourceApi:
    """Serves every resource path, over HTTP and WebSockets."""

    def __init__(self, edge: Edge, services: ApiServices) -> None:
        """Answer through `edge`."""
        self._edge = edge
        self._services = services

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "websocket":
            await self._edge.serve_socket(self._handle, scope, receive, send)
        else:
            await self._edge.serve(self._handle, scope, receive, send)

    async def _handle(self, request: Request) -> Reply:
        target = parse_target(request.raw_path, self._services.collections.resources)
        if target is None:
            return self._nothing_here(request)
        verb, function = self._verb(request, target)
        authorize(request.user, _attributes(request, target, verb))
        if function is None:
            raise MethodNotAllowed.of(target.resource, verb)
        return await function(self._services, request, target)

    def _nothing_here(self, request: Request) -> Reply:
        """404 for who is known, 401 for the rest: existence is not for everybody.

        Plain text, as upstream, unless the resource is served but not this subresource.
        """
        if request.user.is_anonymous:
            raise Unauthorized
        resources = self._services.collections.resources
        unserved = unserved_subresource(request.raw_path, resources)
        if unserved:
            raise NotFound(f"this API server does not serve the subresource {unserved}")
        return text_answer("404 page not found\n", 404)

    def _verb(self, request: Request, target: Target) -> tuple[str, Function | None]:
        """The verb, and its function if the target has that verb."""
        if target.subresource:
            return self._subresource_verb(request, target)
        verb, function = VERBS.get((request.method, bool(target.name)), ("", None))
        if target.is_watch_path:
            return "watch", verbs.read_many if verb in ("get", "list") else None
        if verb == "list" and request.query.flag("watch"):
            verb = "watch"
        needs_namespace = verb in ("create", "deletecollection") and target.resource.namespaced
        if verb not in target.resource.verbs or (needs_namespace and not target.namespace):
            return verb or request.method.lower(), None
        return verb, function

    def _subresource_verb(self, request: Request, target: Target) -> tuple[str, Function | None]:
        verb = _SUBRESOURCE_VERBS.get(request.method, request.method.lower())
        described = target.resource.subresource(target.subresource)
        if described is None or verb not in described.verbs:
            return verb, None
        own = SUBRESOURCES.get((target.subresource, verb))
        if own is not None:
            return verb, own
        method = "GET" if request.method == "HEAD" else request.method
        return verb, VERBS[(method, True)][1] if (method, True) in VERBS else None


class ResourceRoute(BaseRoute):
    """A raw route for /api/VERSION/... and /apis/GROUP/VERSION/..., matched without patterns."""

    def __init__(self, api: ResourceApi) -> None:
        """Hand matching connections to `api`."""
        self._api = api

    def matches(self, scope: Any) -> tuple[Match, Any]:
        """Match by the number of segments: shorter paths are discovery."""
        if scope["type"] not in ("http", "websocket"):
            return Match.NONE, {}
        parts = scope["path"].split("/", 5)
        needed = {"api": 4, "apis": 5}.get(parts[1] if len(parts) > 1 else "", 99)
        is_resource = len(parts) > needed - 1 and parts[needed - 1] != ""
        return (Match.FULL, {}) if is_resource else (Match.NONE, {})

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve it."""
        await self._api(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        """No route here has a name."""
        raise LookupError(name)


def _attributes(request: Request, target: Target, verb: str) -> Attributes:
    return Attributes(
        verb=verb,
        path=request.path,
        group=target.resource.group,
        resource=target.resource.plural,
        subresource=target.subresource,
        namespace=target.namespace,
        name=target.name,
    )
