"""The informer against a real HTTP server: listing, following, resuming, listing again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web

from control_plane.api.errors import Timeout
from control_plane.api.objects import name_of
from control_plane.api.resources import CONFIGMAPS
from control_plane.client.client import ApiClient
from control_plane.client.informer import Informer
from tests.control_plane.client.hand_clock import RestlessClock
from tests.control_plane.client.list_watch_server import ListWatchServer, serving

Seen = tuple[str, str | None, str | None]


class Witness:
    """Records what handlers hear; `next` waits for the next of it."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Seen] = asyncio.Queue()

    def handle(self, event: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        self.heard.put_nowait((event, _version(old), _version(new)))

    async def next(self) -> Seen:
        return await self.heard.get()


def _version(obj: dict[str, Any] | None) -> str | None:
    return None if obj is None else f"{name_of(obj)}@{obj['metadata']['resourceVersion']}"


@pytest.fixture
def server() -> ListWatchServer:
    return ListWatchServer()


@pytest.fixture
def witness() -> Witness:
    return Witness()


@asynccontextmanager
async def running(client: ApiClient, witness: Witness) -> AsyncIterator[Informer]:
    informer = Informer(client, CONFIGMAPS, clock=RestlessClock())
    informer.add_handler(witness.handle)
    task = asyncio.ensure_future(informer.run())
    try:
        await informer.has_synced.wait()
        yield informer
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_listed_objects_are_added_and_can_be_read(
    server: ListWatchServer, witness: Witness
) -> None:
    await server.put("a", data={"x": "1"})
    async with serving(server) as client, running(client, witness) as informer:
        assert await witness.next() == ("add", None, "a@11")
        found = informer.get("ns/a")
        assert found is not None
        assert (found["kind"], found["apiVersion"]) == ("ConfigMap", "v1")
        assert informer.list("ns") == [found]
        assert informer.list("elsewhere") == []


async def test_changes_are_followed_in_order(server: ListWatchServer, witness: Witness) -> None:
    async with serving(server) as client, running(client, witness) as informer:
        await server.put("a")
        await server.put("a", data={"x": "2"})
        await server.remove("a")

        assert await witness.next() == ("add", None, "a@11")
        assert await witness.next() == ("update", "a@11", "a@12")
        assert await witness.next() == ("delete", "a@13", None)
        assert informer.get("ns/a") is None


async def test_broken_watch_is_resumed_where_it_ended(
    server: ListWatchServer, witness: Witness
) -> None:
    async with serving(server) as client, running(client, witness):
        await server.put("a")
        await witness.next()
        server.break_streams()
        await server.put("b")

        assert await witness.next() == ("add", None, "b@12")
        assert server.lists() == ["0"]
        assert server.watches() == ["10", "11"]


async def test_bookmark_moves_the_point_to_resume_from(
    server: ListWatchServer, witness: Witness
) -> None:
    async with serving(server) as client, running(client, witness):
        await server.bookmark()
        await server.put("a")
        await witness.next()
        server.history.clear()
        server.break_streams()
        await server.put("b")
        await witness.next()

        assert server.watches()[-1] == "12"
        assert all("allowWatchBookmarks" in q for _, _, q in server.requests if q.get("watch"))


async def test_lost_history_shows_as_the_difference(
    server: ListWatchServer, witness: Witness
) -> None:
    for name in ("kept", "changed", "gone"):
        await server.put(name)
    async with serving(server) as client, running(client, witness) as informer:
        for _ in range(3):
            await witness.next()
        server.history.clear()
        async with _unwatched(server):
            await server.put("changed", data={"x": "2"})
            await server.remove("gone")
            await server.put("new")

        heard = [await witness.next() for _ in range(3)]

        assert heard == [
            ("delete", "gone@13", None),
            ("update", "changed@12", "changed@14"),
            ("add", None, "new@16"),
        ]
        assert sorted(map(name_of, informer.list())) == ["changed", "kept", "new"]
        assert server.lists() == ["0", ""]


@asynccontextmanager
async def _unwatched(server: ListWatchServer) -> AsyncIterator[None]:
    """Change the collection such that no watch hears of it, then end the watches."""
    silent, server.send = server.send, _nowhere  # type: ignore[method-assign]
    yield
    server.send = silent  # type: ignore[method-assign]
    server.forget_history()
    server.break_streams()


async def _nowhere(event: str, obj: dict[str, Any]) -> None:
    del event, obj


class SetBackServer(ListWatchServer):
    """Refuses resourceVersions that it has not reached, as after a restore of its store."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        wanted = int(request.query.get("resourceVersion") or 0)
        if wanted <= self.version:
            return await super().handle(request)
        self.requests.append((request.method, request.path, dict(request.query)))
        error = Timeout.too_large_resource_version(wanted, self.version)
        return web.json_response(error.status(), status=error.code)


async def test_a_store_that_was_set_back_is_listed_as_it_is(witness: Witness) -> None:
    server = SetBackServer()
    await server.put("a")
    await server.put("b")
    async with serving(server) as client, running(client, witness) as informer:
        for _ in range(2):
            await witness.next()
        del server.objects["b"]
        server.version = 5
        server.history.clear()
        server.break_streams()

        assert await witness.next() == ("delete", "b@12", None)
        assert list(map(name_of, informer.list())) == ["a"]
        assert server.lists() == ["0", ""]


async def test_object_made_anew_under_its_name_is_another_object(
    server: ListWatchServer, witness: Witness
) -> None:
    await server.put("a")
    async with serving(server) as client, running(client, witness):
        await witness.next()
        async with _unwatched(server):
            await server.put("a")
            server.objects["a"]["metadata"]["uid"] = "another"

        assert await witness.next() == ("delete", "a@11", None)
        assert await witness.next() == ("add", None, "a@12")


async def test_failing_handler_disturbs_nobody(server: ListWatchServer, witness: Witness) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bad handler")

    async with serving(server) as client:
        informer = Informer(client, CONFIGMAPS, clock=RestlessClock())
        informer.add_handler(fail)
        informer.add_handler(witness.handle)
        task = asyncio.ensure_future(informer.run())
        await server.put("a")

        assert (await witness.next())[0] == "add"
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_late_handler_and_late_index_see_what_is_there(
    server: ListWatchServer, witness: Witness
) -> None:
    await server.put("a", data={"colour": "red"})
    await server.put("b", data={"colour": "blue"})
    async with serving(server) as client, running(client, witness) as informer:
        late = Witness()
        informer.add_handler(late.handle)
        informer.add_index("colour", lambda obj: [obj["data"]["colour"]])

        assert {(await late.next())[2] for _ in range(2)} == {"a@11", "b@12"}
        assert list(map(name_of, informer.by_index("colour", "red"))) == ["a"]

        await server.put("a", data={"colour": "blue"})
        while (await late.next())[0] != "update":
            pass
        assert informer.by_index("colour", "red") == []
        assert sorted(map(name_of, informer.by_index("colour", "blue"))) == ["a", "b"]


async def test_unreachable_server_is_tried_again_with_growing_delays() -> None:
    server = ListWatchServer()
    async with serving(server) as client:
        pass  # now nobody listens there
    clock = RestlessClock()
    async with client:
        informer = Informer(client, CONFIGMAPS, clock=clock)
        task = asyncio.ensure_future(informer.run())
        for _ in range(8):
            await clock.slept.acquire()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    for number, delay in enumerate(clock.sleeps[:8]):
        base = min(0.2 * 2**number, 10)
        assert base <= delay <= 2 * base
    assert not informer.has_synced.is_set()
