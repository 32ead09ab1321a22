"""A small HTTP server that speaks list, watch and the verbs of one collection of ConfigMaps.

It stands where the API server stands for the client: real connections, real streams. The test
decides when history is lost and when connections break.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web

from control_plane.api.errors import Conflict, Expired, NotFound
from control_plane.api.resources import CONFIGMAPS, EVENTS, LEASES
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig

COLLECTION = "/api/v1/configmaps"


class ListWatchServer:
    """Objects with resourceVersions; events since `oldest` can be watched."""

    def __init__(self) -> None:
        self.version = 10
        self.objects: dict[str, dict[str, Any]] = {}
        self.history: list[tuple[int, dict[str, Any]]] = []
        self.oldest = 0
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""
        self._changed = asyncio.Condition()
        self._streams: set[asyncio.Task[Any]] = set()

    async def put(self, name: str, **fields: Any) -> dict[str, Any]:
        event = "MODIFIED" if name in self.objects else "ADDED"
        obj = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"namespace": "ns", "name": name, "uid": f"uid-{name}"},
            **fields,
        }
        self.objects[name] = obj
        await self._record(event, obj)
        return obj

    async def remove(self, name: str) -> None:
        await self._record("DELETED", self.objects.pop(name))

    async def bookmark(self) -> None:
        await self._record("BOOKMARK", {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}})

    async def send(self, event: str, obj: dict[str, Any]) -> None:
        async with self._changed:
            self.history.append((self.version, {"type": event, "object": obj}))
            self._changed.notify_all()

    async def _record(self, event: str, obj: dict[str, Any]) -> None:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        await self.send(event, orjson.loads(orjson.dumps(obj)))

    def forget_history(self) -> None:
        self.oldest = self.version + 1
        self.history.clear()

    def break_streams(self) -> None:
        for task in list(self._streams):
            task.cancel()

    def watches(self) -> list[str]:
        """The resourceVersions that watches were started from."""
        return [q["resourceVersion"] for _, path, q in self.requests if q.get("watch")]

    def lists(self) -> list[str]:
        """The resourceVersions that were asked for in lists."""
        return [
            query.get("resourceVersion", "")
            for method, path, query in self.requests
            if method == "GET" and path == COLLECTION and not query.get("watch")
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path, dict(request.query)))
        if request.query.get("watch"):
            return await self._watch(request)
        items = [
            {k: v for k, v in obj.items() if k not in ("kind", "apiVersion")}
            for obj in self.objects.values()
        ]
        return web.json_response(
            {
                "kind": "ConfigMapList",
                "apiVersion": "v1",
                "metadata": {"resourceVersion": str(self.version)},
                "items": items,
            }
        )

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        since = int(request.query["resourceVersion"])
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            if since < self.oldest:
                status = Expired("too old resource version").status()
                await response.write(orjson.dumps({"type": "ERROR", "object": status}) + b"\n")
                return response
            await self._follow(response, since)
        finally:
            self._streams.discard(task)
        return response

    async def _follow(self, response: web.StreamResponse, since: int) -> None:
        sent = sum(version <= since for version, _ in self.history)
        while True:
            while sent < len(self.history):
                line = orjson.dumps(self.history[sent][1]) + b"\n"
                half = len(line) // 2
                await response.write(line[:half])  # a line may come in any number of pieces
                await response.write(line[half:])
                sent += 1
            async with self._changed:
                while sent >= len(self.history):
                    await self._changed.wait()


class ObjectServer(ListWatchServer):
    """Adds the single-object verbs with optimistic locking, for any path: Leases, Events."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[str, dict[str, Any]] = {}

    async def handle_object(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path, dict(request.query)))
        body = orjson.loads(await request.read() or b"null")
        if request.method == "POST":
            return self._store(f"{request.path}/{body['metadata']['name']}", body)
        found = self.stored.get(request.path)
        if found is None:
            return _failure(NotFound.of(CONFIGMAPS, request.path))
        if request.method == "PUT":
            if body["metadata"].get("resourceVersion") != found["metadata"]["resourceVersion"]:
                return _failure(Conflict.modified(CONFIGMAPS, request.path))
            return self._store(request.path, body)
        if request.method == "PATCH":
            return self._store(request.path, found | body)
        return web.json_response(found)

    def _store(self, path: str, obj: dict[str, Any]) -> web.Response:
        self.version += 1
        obj = orjson.loads(orjson.dumps(obj))
        obj["metadata"]["resourceVersion"] = str(self.version)
        self.stored[path] = obj
        return web.json_response(obj)


def _failure(error: NotFound | Conflict) -> web.Response:
    return web.json_response(error.status(), status=error.code)


@asynccontextmanager
async def serving(server: ListWatchServer) -> AsyncIterator[ApiClient]:
    """Serve until the end of the block; yields a client of it."""
    app = web.Application()
    app.router.add_route("*", COLLECTION, server.handle)
    if isinstance(server, ObjectServer):
        app.router.add_route("*", "/{path:.*}", server.handle_object)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}"
    try:
        async with ApiClient(ClientConfig(server.url)) as client:
            yield client
    finally:
        server.break_streams()
        await runner.cleanup()


__all__ = ["CONFIGMAPS", "EVENTS", "LEASES", "ListWatchServer", "ObjectServer", "serving"]
