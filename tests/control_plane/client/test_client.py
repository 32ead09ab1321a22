"""The API client over real HTTP: paths, bodies, errors, retries, watches."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web

from control_plane.api import errors
from control_plane.api.resources import CONFIGMAPS, NODES, PODS
from control_plane.client.client import ApiClient, ApiUnavailable
from control_plane.client.config import ClientConfig

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "ns", "name": "p"}}


class Recorder:
    """Answers every request with the next prepared response; keeps what was asked."""

    def __init__(self) -> None:
        self.answers: list[Callable[[], web.StreamResponse]] = []
        self.asked: list[tuple[str, str, Any, str]] = []
        self.headers: list[Any] = []

    def answer(self, body: Any, status: int = 200, **headers: str) -> None:
        self.answers.append(lambda: web.json_response(body, status=status, headers=headers))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read() or b"null")
        content_type = request.headers.get("Content-Type", "")
        self.asked.append((request.method, request.path_qs, body, content_type))
        self.headers.append(request.headers)
        return self.answers.pop(0)()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@asynccontextmanager
async def client_of(recorder: Recorder, **config: Any) -> AsyncIterator[ApiClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", recorder.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with ApiClient(ClientConfig(url, **config)) as client:
            yield client
    finally:
        await runner.cleanup()


Call = Callable[[ApiClient], Any]
JSON = "application/json"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(
            lambda c: c.get(PODS, "p", "ns"), ("GET", "/api/v1/namespaces/ns/pods/p"), id="get"
        ),
        pytest.param(lambda c: c.get(NODES, "n"), ("GET", "/api/v1/nodes/n"), id="get-cluster"),
        pytest.param(
            lambda c: c.list(PODS, label_selector="a=b", limit=3, resource_version="0"),
            ("GET", "/api/v1/pods?labelSelector=a%3Db&limit=3&resourceVersion=0"),
            id="list",
        ),
        pytest.param(
            lambda c: c.create(PODS, POD), ("POST", "/api/v1/namespaces/ns/pods"), id="create"
        ),
        pytest.param(
            lambda c: c.create(PODS, POD, subresource="binding"),
            ("POST", "/api/v1/namespaces/ns/pods/p/binding"),
            id="create-subresource",
        ),
        pytest.param(
            lambda c: c.update(PODS, POD, subresource="status"),
            ("PUT", "/api/v1/namespaces/ns/pods/p/status"),
            id="update-status",
        ),
        pytest.param(
            lambda c: c.delete_collection(PODS, "ns", field_selector="x=y"),
            ("DELETE", "/api/v1/namespaces/ns/pods?fieldSelector=x%3Dy"),
            id="delete-collection",
        ),
    ],
)
async def test_verbs_go_to_their_paths(
    recorder: Recorder, call: Call, expected: tuple[str, str]
) -> None:
    recorder.answer({"kind": "Something", "items": []})
    async with client_of(recorder) as client:
        await call(client)

    method, path, _, _ = recorder.asked[0]
    assert method == expected[0]
    assert path.replace("%3D", "=") == expected[1].replace("%3D", "=")


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("merge", "application/merge-patch+json"),
        ("strategic", "application/strategic-merge-patch+json"),
        ("json", "application/json-patch+json"),
    ],
)
async def test_patch_names_its_kind(recorder: Recorder, kind: str, content_type: str) -> None:
    recorder.answer(POD)
    async with client_of(recorder) as client:
        await client.patch(PODS, "p", {"spec": {}}, "ns", kind=kind)

    assert recorder.asked == [("PATCH", "/api/v1/namespaces/ns/pods/p", {"spec": {}}, content_type)]


async def test_delete_sends_its_options(recorder: Recorder) -> None:
    recorder.answer(POD)
    async with client_of(recorder) as client:
        await client.delete(PODS, "p", "ns", options={"gracePeriodSeconds": 0})

    assert recorder.asked[0][2] == {"gracePeriodSeconds": 0}


async def test_token_is_sent(recorder: Recorder) -> None:
    recorder.answer(POD)
    async with client_of(recorder, token="secret") as client:
        await client.get(PODS, "p", "ns")

    assert recorder.headers[0]["Authorization"] == "Bearer secret"


async def test_status_answer_becomes_its_error(recorder: Recorder) -> None:
    recorder.answer(errors.NotFound.of(PODS, "p").status(), status=404)
    async with client_of(recorder) as client:
        with pytest.raises(errors.NotFound, match='pods "p" not found'):
            await client.get(PODS, "p", "ns")


async def test_answer_without_status_still_becomes_an_error(recorder: Recorder) -> None:
    recorder.answers.append(lambda: web.Response(status=403, text="no entry"))
    async with client_of(recorder) as client:
        with pytest.raises(errors.Forbidden, match=r"answered 403 to GET .*no entry"):
            await client.get(PODS, "p", "ns")


async def test_retry_after_is_obeyed(recorder: Recorder) -> None:
    busy = errors.TooManyRequests("busy").status()
    recorder.answer(busy, status=429, **{"Retry-After": "0"})
    recorder.answer(POD)
    async with client_of(recorder) as client:
        assert await client.get(PODS, "p", "ns") == POD


async def test_retries_are_bounded(recorder: Recorder) -> None:
    for _ in range(20):
        recorder.answer(errors.TooManyRequests("busy").status(), 429, **{"Retry-After": "0"})
    async with client_of(recorder) as client:
        with pytest.raises(errors.TooManyRequests):
            await client.get(PODS, "p", "ns")
    assert len(recorder.asked) == 11


async def test_list_without_items_is_empty(recorder: Recorder) -> None:
    recorder.answer({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": None})
    async with client_of(recorder) as client:
        assert (await client.list(PODS))["items"] == []


async def test_answer_that_is_not_json_comes_as_bytes(recorder: Recorder) -> None:
    recorder.answers.append(lambda: web.Response(text="ok"))
    async with client_of(recorder) as client:
        assert await client.request("GET", "/readyz") == b"ok"


async def test_server_that_does_not_answer_is_unavailable(recorder: Recorder) -> None:
    async with client_of(recorder) as client:
        url = client
    async with url:
        with pytest.raises(ApiUnavailable, match="did not answer"):
            await url.get(PODS, "p", "ns")


async def test_client_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await ApiClient(ClientConfig("http://127.0.0.1:1")).get(PODS, "p", "ns")


async def test_watch_yields_events_of_any_length(recorder: Recorder) -> None:
    big = {"type": "ADDED", "object": POD | {"data": "x" * 300_000}}
    small = {"type": "DELETED", "object": POD}
    text = b"\n".join(map(orjson.dumps, (big, small))) + b'\n{"type": "half'
    recorder.answers.append(lambda: web.Response(body=text))
    async with client_of(recorder) as client:
        events = [e async for e in client.watch(PODS, resource_version="5")]

    assert events == [big, small]
    assert "resourceVersion=5" in recorder.asked[0][1]


@pytest.mark.parametrize("line", [b"<html>", b"[]", b'{"type":"ADDED"}', b'{"type":1,"object":{}}'])
async def test_watch_that_sends_something_else_is_unavailable(
    recorder: Recorder, line: bytes
) -> None:
    recorder.answers.append(lambda: web.Response(body=line + b"\n"))
    async with client_of(recorder) as client:
        with pytest.raises(ApiUnavailable, match="which is no event"):
            async for _ in client.watch(PODS, resource_version="5"):
                pass


async def test_error_event_of_a_watch_is_raised(recorder: Recorder) -> None:
    line = {"type": "ERROR", "object": errors.Expired("too old resource version").status()}
    recorder.answers.append(lambda: web.Response(body=orjson.dumps(line) + b"\n"))
    async with client_of(recorder) as client:
        with pytest.raises(errors.Expired):
            async for _ in client.watch(CONFIGMAPS, resource_version="5"):
                pass
