"""An aggregated API server of the tests, written with FastAPI; it has one kind, Flunder.

It believes nobody but the front proxy, whose certificate it asks for, and keeps what that says of
who asks.
"""

import datetime
import ssl
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse

from control_plane.pki.authority import Authority, Identity, KeyPair
from tests.control_plane.apiserver.backend_peer import own_address

GROUP, VERSION = "wardle.example.com", "v1alpha1"
PATH = f"/apis/{GROUP}/{VERSION}"
HOST = "wardle.default.svc"
Object = dict[str, Any]
VERBS = ["create", "delete", "get", "list", "watch"]


class AggregatedPeer:
    """Runs in a thread of its own."""

    def __init__(self, directory: Path, proxy_ca: Path) -> None:
        now = datetime.datetime.now(datetime.UTC)
        directory.mkdir(parents=True, exist_ok=True)
        ca = KeyPair(directory / "wardle-ca.crt", directory / "wardle-ca.key")
        own = KeyPair(directory / "wardle.crt", directory / "wardle.key")
        Authority.open(ca, now).ensure(own, Identity("wardle", dns_names=(HOST,)), now)
        self.ca = ca.certificate
        self.address = own_address()
        self.asked: list[tuple[str, str, dict[str, list[str]]]] = []
        self.flunders: dict[str, Object] = {}
        config = uvicorn.Config(
            self._app(),
            host=self.address,
            port=0,
            log_level="error",
            ssl_certfile=str(own.certificate),
            ssl_keyfile=str(own.key),
            ssl_ca_certs=str(proxy_ca),
            ssl_cert_reqs=ssl.CERT_REQUIRED,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def port(self) -> int:
        """What it listens on."""
        number: int = self._server.servers[0].sockets[0].getsockname()[1]
        return number

    def _app(self) -> FastAPI:
        app = FastAPI()
        self._add_notes(app)
        self._add_documents(app)
        self._add_flunders(app)
        return app

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

        @app.delete(f"{flunders}/{{name}}")
        async def delete(name: str) -> Object:
            del self.flunders[name]
            return {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    def _add_documents(self, app: FastAPI) -> None:
        @app.get(PATH)
        async def resources() -> Object:
            return RESOURCES

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
