"""The resource paths: from URL and method to a verb's function, once the user may.

VERBS, VIRTUAL and SUBRESOURCES are the tables; a subresource without a row of its own in
SUBRESOURCES is a half of its parent (status) and handled by the verbs themselves.
"""

import functools
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from control_plane.api import field_selector
from control_plane.api.errors import MethodNotAllowed, NotFound
from control_plane.api.names import path_segment_errors
from control_plane.api.resources import BUILT_IN, CUSTOMRESOURCEDEFINITIONS, ResourceSet
from control_plane.api.warnings import deprecation
from control_plane.apiserver.aggregation.gateway import Aggregated
from control_plane.apiserver.auth.authz import Attributes
from control_plane.apiserver.flow_control.work_estimate import (
    ONE_SEAT,
    WIDE,
    Stored,
    Work,
    work_of,
)
from control_plane.apiserver.http import verbs
from control_plane.apiserver.http.answer import Reply, text_answer
from control_plane.apiserver.http.edge import Edge
from control_plane.apiserver.http.representation import accepted_form
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.request_labels import labels_of
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import (
    Target,
    parse_target,
    unserved_resource,
    unserved_subresource,
)
from control_plane.apiserver.metrics.requests import Series
from control_plane.apiserver.subresources import SUBRESOURCES
from control_plane.apiserver.virtual import VIRTUAL

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
# What lasts as long as its client likes takes no seat.
LONG_RUNNING = frozenset({"attach", "exec", "log", "portforward", "proxy"})
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_SUBRESOURCE_VERBS = {
    "OPTIONS": "options",  # of the proxies only; no role but one that allows all grants it
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}


MAX_REMEMBERED = 4096  # paths: nodes and controllers come back to the same ones all the time
_RESOURCE_PATH = re.compile(r"/(?:api/[^/]*|apis/[^/]*/[^/]*)/[^/]")


class Plan(NamedTuple):
    """What a request comes to by its method and path; `function` is None for what is not served.

    `deprecated` is the warning that its answer bears.
    """

    target: Target
    verb: str
    function: Function | None
    asked: Attributes
    series: Series
    deprecated: str | None

    def fits(self, request: Request) -> bool:
        """Whether method and path say it all: nothing in the query or the headers has a say."""
        return not request.query_string and self.verb != "patch"


class ResourceApi:
    """Serves every resource path, over HTTP and WebSockets."""

    def __init__(self, edge: Edge, services: ApiServices) -> None:
        """Answer through `edge`."""
        self._edge = edge
        self._services = services
        self._collections = services.collections
        self._know(self._collections.resources)

    def _know(self, resources: ResourceSet) -> None:
        """Begin to remember anew: what is served has changed."""
        self._resources = resources
        self._target = functools.lru_cache(MAX_REMEMBERED)(
            lambda raw_path: parse_target(raw_path, resources)
        )
        self._plans: dict[tuple[str, str], Plan] = {}

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        """Serve one ASGI scope."""
        is_socket = scope["type"] == "websocket"
        serve = self._edge.serve_socket if is_socket else self._edge.serve
        return serve(self._handle, scope, receive, send)

    async def _handle(self, request: Request) -> Reply:
        if self._collections.resources is not self._resources:
            self._know(self._collections.resources)
        plan = self._plans.get((request.method, request.raw_path))
        if plan is None or not plan.fits(request):
            plan = self._planned(request) or await self._newly_served(request)
        if plan is None:
            asked = _unserved(request)
            await self._edge.admit(request, asked)
            self._edge.authorize(request, asked)
            return self._nothing_here(request)
        target, verb, function, asked, series, deprecated = plan
        request.series = series
        series.begin()
        if target.subresource not in LONG_RUNNING:
            await self._edge.admit(request, asked, self._work(request, target, verb))
        self._edge.authorize(request, asked)
        if function is None:
            raise _not_allowed(target, verb)
        if verb in WRITES and target.subresource not in LONG_RUNNING:
            accepted_form(request, target.resource)  # who takes no answer changes nothing
        if deprecated:
            request.warn(deprecated)
            request.annotate("k8s.io/deprecated", "true")
            self._edge.requests.deprecated.add(_api(target))
        return await function(self._services, request, target)

    def _planned(self, request: Request) -> "Plan | None":
        """Decide what the request comes to, and remember it for those that are the same."""
        target = self._target(request.raw_path)
        if target is None:
            return None
        verb, function = self._verb(request, target)
        asked = _attributes(request, target, verb)
        series = self._edge.requests.of(labels_of(request, target, verb))
        plan = Plan(target, verb, function, asked, series, deprecation(target.resource))
        if plan.fits(request):
            if len(self._plans) >= MAX_REMEMBERED:
                self._plans.clear()
            self._plans[request.method, request.raw_path] = plan
        return plan

    async def _newly_served(self, request: Request) -> "Plan | None":
        """What a request comes to that nothing is known of, if its kind is but just served.

        Who has read of it, from whatever server, is served at once.
        """
        group = request.raw_path.split("/", 3)[2:3]
        if request.user.is_anonymous or "." not in "".join(group):
            return None
        await self._collections.of(CUSTOMRESOURCEDEFINITIONS).refresh()
        if self._collections.resources is self._resources:
            return None
        self._know(self._collections.resources)
        return self._planned(request)

    def _work(self, request: Request, target: Target, verb: str) -> Work:
        """The seats that the request takes."""
        if verb not in WIDE or not target.resource.is_stored:
            return ONE_SEAT
        cache = self._services.collections.of(target.resource).cache
        stored = Stored(len(cache), cache.encoded_bytes, cache.watches)
        return work_of(verb, request.query, stored)

    def _nothing_here(self, request: Request) -> Reply:
        """404: a Status under a served version of a group, plain text elsewhere."""
        wanted = unserved_subresource(request.raw_path, self._services.collections.resources)
        if wanted is not None and wanted.resource.custom is not None:
            raise NotFound.of(wanted.resource, wanted.name)
        sought = unserved_resource(request.raw_path)
        if sought and BUILT_IN.in_group_version(sought.resource.group, sought.resource.version):
            raise NotFound("the server could not find the requested resource", details={})
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
        if not target.resource.is_stored:
            function = VIRTUAL[target.resource.group, target.resource.plural, verb]
        return verb, function

    def _subresource_verb(self, request: Request, target: Target) -> tuple[str, Function | None]:
        verb = _SUBRESOURCE_VERBS.get(request.method, request.method.lower())
        described = target.resource.subresource(target.subresource)
        own = SUBRESOURCES.get((target.subresource, verb))
        if described is not None and own is not None:
            return verb, own
        if described is None or verb not in described.verbs:
            return verb, None
        method = "GET" if request.method == "HEAD" else request.method
        return verb, VERBS[(method, True)][1] if (method, True) in VERBS else None


class ResourcesFirst:
    """ASGI: resource paths go to `resources`, all else (and discovery) to `others`.

    Nearly every request is for a resource, and spends nothing on the layers of a framework.
    """

    def __init__(self, resources: ResourceApi, others: Any, aggregated: Aggregated) -> None:
        """All are ASGI applications; `aggregated` serves what it says it does."""
        self._resources = resources
        self._others = others
        self._aggregated = aggregated

    def passes_sockets_on(self, url: bytes) -> bool:
        """Whether a WebSocket is another server's, to which it is passed on as it is."""
        path = url.partition(b"?")[0].decode("latin-1")
        return self._aggregated.remotes.of(path) is not None

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        """Serve one ASGI scope."""
        serves = self._resources if is_resource_scope(scope) else self._others
        if self._aggregated.remotes.by_path and self._aggregated.serves(scope):
            serves = self._aggregated
        answering: Awaitable[None] = serves(scope, receive, send)
        return answering


def is_resource_scope(scope: Any) -> bool:
    """Tell /api/VERSION/... and /apis/GROUP/VERSION/... by their segments from discovery."""
    if scope["type"] not in ("http", "websocket"):
        return False
    return _RESOURCE_PATH.match(scope["path"]) is not None


def _not_allowed(target: Target, verb: str) -> MethodNotAllowed:
    """What is wrong with a verb: built-in kinds have a route for each, watches apart."""
    if target.resource.custom is not None or (verb == "watch" and not target.is_watch_path):
        return MethodNotAllowed.of(target.resource, verb)
    return MethodNotAllowed.on_path()


def _attributes(request: Request, target: Target, verb: str) -> Attributes:
    selected = _selected(request, verb)
    return Attributes(
        verb=verb,
        path=request.path,
        group=target.resource.group,
        resource=target.resource.plural,
        subresource=target.subresource,
        namespace=target.namespace,
        name=target.name or _only_name(selected),
        selected=selected,
    )


def _unserved(request: Request) -> Attributes:
    """What is asked of a resource that is not served; who may do that is told that it is not."""
    target = unserved_resource(request.raw_path)
    if target is None:
        return Attributes(verb=request.method.lower(), path=request.path)
    if target.subresource:
        verb = _SUBRESOURCE_VERBS.get(request.method, request.method.lower())
        return _attributes(request, target, verb)
    verb, _ = VERBS.get((request.method, bool(target.name)), (request.method.lower(), None))
    is_watch = verb == "list" and request.query.flag("watch")
    return _attributes(request, target, "watch" if is_watch else verb)


def _api(target: Target) -> tuple[str, ...]:
    resource = target.resource
    return (resource.group, resource.version, resource.plural, target.subresource)


def _selected(request: Request, verb: str) -> tuple[tuple[str, str], ...]:
    """The values that the field selector of a list, watch or deletion of many demands."""
    wanted = request.query.text("fieldSelector")
    if not wanted or verb not in ("list", "watch", "deletecollection"):
        return ()
    try:
        return field_selector.parse(wanted).demanded
    except ValueError:
        return ()


def _only_name(selected: tuple[tuple[str, str], ...]) -> str:
    """The name of the one object that a list, watch or deletion of many is about."""
    name = next((value for field, value in selected if field == "metadata.name"), "")
    return name if name and not path_segment_errors(name) else ""
