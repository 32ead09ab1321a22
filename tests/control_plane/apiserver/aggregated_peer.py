"""An aggregated API server of the tests, written with FastAPI; it has one kind, Flunder.

It finds out who asks and what they may as servers built on Kubernetes' library do, and keeps what
it was asked.
"""

import asyncio
import datetime
import functools
import ipaddress
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from fastapi import FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from control_plane.apiserver.aggregation.target import attributes_of
from control_plane.pki.authority import Authority, Identity, KeyPair
from tests.control_plane.apiserver.backend_peer import own_address
from tests.control_plane.apiserver.delegated_auth import (
    Caller,
    DelegatedAuth,
    NotAuthenticatedError,
)

GROUP, VERSION = "wardle.example.com", "v1alpha1"
PATH = f"/apis/{GROUP}/{VERSION}"
HOST = "wardle.default.svc"
Object = dict[str, Any]
VERBS = ["create", "delete", "get", "list", "watch"]


class _Certified(H11Protocol):
    """Tells the application which certificate its client has shown."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        shown = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        self.app = functools.partial(_with_certificate, self.app, shown)


async def _with_certificate(
    app: Any, certificate: bytes | None, scope: Any, receive: Any, send: Any
) -> None:
    await app({**scope, "certificate": certificate}, receive, send)


class AggregatedPeer:
    """Runs in a thread of its own; looks every `follow_seconds` at whom the cluster believes."""

    def __init__(self, directory: Path, auth: DelegatedAuth, follow_seconds: float = 5.0) -> None:
        now = datetime.datetime.now(datetime.UTC)
        directory.mkdir(parents=True, exist_ok=True)
        self.address = own_address()
        ca = KeyPair(directory / "wardle-ca.crt", directory / "wardle-ca.key")
        own = KeyPair(directory / "wardle.crt", directory / "wardle.key")
        addresses = (ipaddress.ip_address(self.address),)
        identity = Identity("wardle", dns_names=(HOST,), addresses=addresses)
        Authority.open(ca, now, "wardle-ca").ensure(own, identity, now)
        self.ca = ca.certificate
        self._auth, self._follow_seconds = auth, follow_seconds
        self.asked: list[tuple[str, str, dict[str, list[str]]]] = []
        self.callers: list[Caller] = []
        self.shown: list[bytes | None] = []  # certificates, in DER
        self.socket_users: list[list[str]] = []
        self.flunders: dict[str, Object] = {}
        config = uvicorn.Config(
            self._app(),
            host=self.address,
            port=0,
            log_level="error",
            ssl_certfile=str(own.certificate),
            ssl_keyfile=str(own.key),
            ssl_cert_reqs=ssl.CERT_OPTIONAL,
            http=_Certified,
            ws="wsproto",
        )
        config.load()
        assert config.ssl is not None
        self._tls = config.ssl
        self._tls.load_verify_locations(cadata=auth.authorities)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def port(self) -> int:
        """What it listens on."""
        number: int = self._server.servers[0].sockets[0].getsockname()[1]
        return number

    def last_caller(self, name: str) -> Caller:
        """The last one of a name; others ask beside the test, to see whether this serves."""
        return [one for one in self.callers if one.name == name][-1]

    def _app(self) -> FastAPI:
        app = FastAPI(lifespan=self._following)
        self._add_authorization(app)
        self._add_notes(app)
        self._add_documents(app)
        self._add_flunders(app)
        return app

    @asynccontextmanager
    async def _following(self, _app: FastAPI) -> AsyncIterator[None]:
        async def follow() -> None:
            while True:
                await asyncio.sleep(self._follow_seconds)
                if await asyncio.to_thread(self._auth.read):
                    self._tls.load_verify_locations(cadata=self._auth.authorities)

        following = asyncio.create_task(follow())
        yield
        following.cancel()
        await asyncio.wait([following])

    def _add_authorization(self, app: FastAPI) -> None:
        @app.middleware("http")
        async def authorize(request: Request, call_next: Any) -> Any:
            try:
                caller = await asyncio.to_thread(
                    self._auth.caller, request.scope["certificate"], request.headers.items()
                )
            except NotAuthenticatedError:
                return PlainTextResponse("Unauthorized", 401)
            self.callers.append(caller)
            self.shown.append(request.scope["certificate"])
            if "system:masters" not in caller.groups and not await self._allows(caller, request):
                return PlainTextResponse("Forbidden", 403)
            return await call_next(request)

    async def _allows(self, caller: Caller, request: Request) -> bool:
        path = request.url.path
        watches = "watch" in request.query_params
        asked = attributes_of(request.method, path, path, watches=watches)
        attributes = {"verb": asked.verb, "group": asked.group, "resource": asked.resource}
        attributes |= {"namespace": asked.namespace, "name": asked.name, "version": VERSION}
        return await asyncio.to_thread(self._auth.may, caller, attributes)

    def _add_notes(self, app: FastAPI) -> None:
        @app.middleware("http")
        async def note(request: Request, call_next: Any) -> Any:
            headers: dict[str, list[str]] = {}
            for name, value in request.headers.items():
                headers.setdefault(name, []).append(value)
            self.asked.append((request.method, request.url.path, headers))
            return await call_next(request)

    def _add_flunders(self, app: FastAPI) -> None:
        flunders = f"{PATH}/namespaces/{{namespace}}/flunders"

        @app.get(flunders)
        async def many(watch: str = "") -> Any:
            if watch:
                return StreamingResponse(self._events(), media_type="application/json")
            head = {"kind": "FlunderList", "apiVersion": f"{GROUP}/{VERSION}"}
            items = list(self.flunders.values())
            return {**head, "metadata": {"resourceVersion": "1"}, "items": items}

        @app.post(flunders, status_code=201)
        async def create(namespace: str, body: Object) -> Object:
            body["metadata"]["namespace"] = namespace
            self.flunders[body["metadata"]["name"]] = body
            return body

        @app.get(f"{flunders}/{{name}}")
        async def one(name: str) -> Object:
            if name not in self.flunders:
                raise HTTPException(404)
            return self.flunders[name]

        @app.websocket(f"{flunders}/{{name}}/chat")
        async def chat(socket: WebSocket) -> None:
            self.socket_users.append(socket.headers.getlist("x-remote-user"))
            await socket.accept("v1.chat")
            async for text in socket.iter_text():
                await socket.send_text(text.upper())

        @app.delete(f"{flunders}/{{name}}")
        async def delete(name: str) -> Object:
            del self.flunders[name]
            return {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    def _add_documents(self, app: FastAPI) -> None:
        @app.get(PATH)
        async def resources() -> Object:
            return RESOURCES

        @app.get("/openapi/v2")
        async def swagger() -> Object:
            return SWAGGER

        @app.get("/openapi/v3")
        async def index() -> Object:
            path = PATH.removeprefix("/")
            return {"paths": {path: {"serverRelativeURL": f"/openapi/v3{PATH}?hash=1"}}}

        @app.get(f"/openapi/v3{PATH}")
        async def document() -> JSONResponse:
            return JSONResponse({"openapi": "3.0.0", "info": {"title": "wardle"}})

    async def _events(self) -> AsyncIterator[bytes]:
        yield b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1"}}}\n'

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.05)
            assert self._thread.is_alive(), "the aggregated server did not start"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()


RESOURCES: Object = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": f"{GROUP}/{VERSION}",
    "resources": [
        {
            "name": "flunders",
            "singularName": "flunder",
            "namespaced": True,
            "kind": "Flunder",
            "verbs": VERBS,
            "shortNames": ["fl"],
        }
    ],
}

FLUNDER = "com.example.wardle.v1alpha1.Flunder"
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
STATUS = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
SWAGGER: Object = {
    "swagger": "2.0",
    "info": {"title": "wardle", "version": "1"},
    "paths": {
        "/healthz": {"get": {"responses": {"200": {"description": "OK"}}}},
        f"{PATH}/namespaces/{{namespace}}/flunders/{{name}}": {
            "get": {
                "operationId": "readFlunder",
                "parameters": [{"$ref": "#/parameters/name-vgWSWtn3"}],
                "produces": ["application/json"],
                "responses": {
                    "200": {"description": "OK", "schema": {"$ref": f"#/definitions/{FLUNDER}"}},
                    "404": {"description": "none", "schema": {"$ref": f"#/definitions/{STATUS}"}},
                },
                "x-kubernetes-action": "get",
                "x-kubernetes-group-version-kind": {
                    "group": GROUP,
                    "version": VERSION,
                    "kind": "Flunder",
                },
            }
        },
    },
    "parameters": {
        "name-vgWSWtn3": {
            "name": "name",
            "in": "path",
            "description": "name of the Flunder",
            "required": True,
            "type": "string",
            "uniqueItems": True,
        }
    },
    "definitions": {
        FLUNDER: {
            "description": "A Flunder.",
            "type": "object",
            "properties": {"metadata": {"$ref": f"#/definitions/{META}"}},
            "x-kubernetes-group-version-kind": [
                {"group": GROUP, "version": VERSION, "kind": "Flunder"}
            ],
        },
        META: {"description": "not as this server has it", "type": "object"},
        STATUS: {"description": "nor this", "type": "object"},
        "com.example.Unused": {"type": "object"},
    },
}
