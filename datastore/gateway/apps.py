"""The two applications: everything, for client URLs; /metrics and health, for metrics URLs.

Paths behave as with Go's router: one that is not clean (`//`, `..`) is redirected to its clean
form, before anything looks at it; an unknown one is 404 in plain text.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from datastore.gateway.access import Entry
from datastore.gateway.health import PLAIN, Answer, has_check
from datastore.gateway.routes import PREFIX, ROUTES
from datastore.gateway.upgrades import UPGRADE, Upgrade
from datastore.versions import SERVER_VERSION, STORAGE_VERSION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from datastore.gateway.access import Access
    from datastore.gateway.bodies import Receive
    from datastore.gateway.gateway import Gateway
    from datastore.gateway.health import Health
    from datastore.gateway.replies import Send

NOT_FOUND = Answer(404, b"404 page not found\n", PLAIN)
ONLY_GET = Answer(405, b"Method Not Allowed\n", PLAIN | {"allow": "GET"})
JSON = {"content-type": "application/json"}
VERSIONS = Answer(
    200,
    orjson.dumps(
        {"etcdserver": SERVER_VERSION, "etcdcluster": STORAGE_VERSION, "storage": STORAGE_VERSION}
    ),
    JSON,
)
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}  # as Go writes them
)
NO_ROUTE = Answer(404, b'{"code":5,"message":"Not Found"}', JSON)
ONLY_POST = Answer(501, b'{"code":12,"message":"Method Not Allowed"}', JSON)


class MetricsApp:
    """Answers /metrics, /health, /livez and /readyz."""

    def __init__(self, health: Health, metrics: Callable[[], Awaitable[Answer]]) -> None:
        self._health = health
        self._metrics = metrics

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request; an upgrade, too, is answered over HTTP."""
        if scope["type"] == "websocket":
            upgrade = Upgrade(scope, receive, send)
            scope, send = upgrade.scope, upgrade.respond
        await answer_with(send, await self.find(scope, scope["path"]) or NOT_FOUND)

    async def find(self, scope: Any, path: str) -> Answer | None:
        """Return the answer of a path, None if there is nothing."""
        clean = clean_path(path)
        if clean != path:
            return redirect(scope, clean)
        if path == "/metrics":
            return await self._metrics()
        if path == "/health":
            return await self._health.health(scope["query_string"]) if is_get(scope) else ONLY_GET
        kind, _, check = path[1:].partition("/")
        if not has_check(kind, check) or path.endswith("/"):
            return None
        if not is_get(scope):
            return ONLY_GET
        return await self._health.probe(kind, check, scope["query_string"])


class ClientApp:
    """Answers what a metrics application does, /version, and the gateway if there is one."""

    def __init__(self, access: Access, common: MetricsApp, gateway: Gateway | None) -> None:
        self._access = access
        self._common = common
        self._gateway = gateway

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request, or upgrade it."""
        if scope["type"] == "websocket":
            upgrade = Upgrade(scope, receive, send)
            scope, send = upgrade.scope, upgrade.respond
        entry = await self._access.enter(scope)
        if not isinstance(entry, Entry):
            await answer_with(send, entry)
            return
        sender = _with_headers(send, entry.headers)
        if scope["method"] == "OPTIONS":
            await answer_with(sender, Answer(200, b"", {}))
            return
        path = entry.path
        found = await self._common.find(scope, path)
        if found is None and path == "/version":
            found = VERSIONS if is_get(scope) else ONLY_GET
        if found is None and self._gateway is not None and f"{path}/".startswith(PREFIX):
            await self._call(self._gateway, path, scope, receive, sender)
            return
        await answer_with(sender, found or NOT_FOUND)

    async def _call(
        self, gateway: Gateway, path: str, scope: Any, receive: Receive, send: Send
    ) -> None:
        route = ROUTES.get(path)
        if UPGRADE in scope and path.startswith(PREFIX):
            bidi = route is not None and gateway.takes_messages(route)
            socket = await scope[UPGRADE].accept(one_message=not bidi)
            receive, send = socket.receive, socket.send
        if f"{path}/" == PREFIX:
            await answer_with(send, redirect(scope, PREFIX))
        elif route is None:
            await answer_with(send, NO_ROUTE)
        elif scope["method"] != "POST":
            await answer_with(send, ONLY_POST)
        else:
            await gateway.serve(route, scope, receive, send)


def is_get(scope: Any) -> bool:
    """Say whether the method is GET; HEAD is not."""
    return bool(scope["method"] == "GET")


def clean_path(path: str) -> str:
    """Return the shortest path that means the same; a trailing slash stays."""
    clean = posixpath.normpath("/" + path.lstrip("/"))
    return f"{clean}/" if path.endswith("/") and clean != "/" else clean


def redirect(scope: Any, path: str) -> Answer:
    """Send the client to another path, with its query."""
    target = quote(path)
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    headers = {"location": target}
    if scope["method"] not in ("GET", "HEAD"):
        return Answer(307, b"", headers)
    body = f'<a href="{target.translate(_ESCAPES)}">Temporary Redirect</a>.\n\n'
    return Answer(307, body.encode(), headers | {"content-type": "text/html; charset=utf-8"})


async def answer_with(send: Send, answer: Answer) -> None:
    """Send a whole answer."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    headers += [
        (b"content-length", str(len(answer.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def _with_headers(send: Send, headers: tuple[tuple[bytes, bytes], ...]) -> Send:
    async def sender(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*headers, *message["headers"]]
        await send(message)

    return sender
