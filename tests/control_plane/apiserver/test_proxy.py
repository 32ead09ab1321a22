"""pods/proxy, services/proxy and nodes/proxy: any request, passed on."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from control_plane.api.errors import BadRequest
from control_plane.apiserver.proxying.backend import check_address, split_name
from tests.control_plane.apiserver.backend_peer import BackendPeer
from tests.control_plane.apiserver.objects import pod
from tests.control_plane.apiserver.streams_stage import PODS, Cluster, streams_stage
from tests.support.apiserver import NODE

SERVICES = "/api/v1/namespaces/default/services"
ENDPOINTS = "/api/v1/namespaces/default/endpoints"


@pytest.fixture
async def backend() -> AsyncIterator[BackendPeer]:
    async with BackendPeer() as peer:
        yield peer


@pytest.fixture
async def cluster(tmp_path: Path, backend: BackendPeer) -> AsyncIterator[Cluster]:
    """A pod `web` whose address is the backend's, and a service of it with a named port."""
    async with streams_stage(tmp_path) as stage:
        ports = [{"containerPort": backend.port}]
        web = pod("web", node=NODE)
        web["spec"]["containers"][0]["ports"] = ports
        await stage.send("POST", PODS, web)
        status = {"podIP": backend.address, "podIPs": [{"ip": backend.address}]}
        body = {"metadata": {"name": "web"}, "status": {"phase": "Running", **status}}
        code, answer = await stage.send("GET", f"{PODS}/web")
        answer["status"] |= body["status"]
        code, answer = await stage.send("PUT", f"{PODS}/web/status", answer)
        assert code == 200, answer
        spec = {"ports": [{"name": "portname1", "port": 80}, {"name": "empty", "port": 81}]}
        for name in ("web", "lonely"):
            service = {"metadata": {"name": name}, "spec": spec}
            assert (await stage.send("POST", SERVICES, service))[0] == 201
        await stage.send("POST", ENDPOINTS, {"metadata": {"name": "lonely"}})
        assert (await stage.send("POST", ENDPOINTS, endpoints(backend, "web")))[0] == 201
        yield stage


def endpoints(backend: BackendPeer, pod_name: str) -> dict[str, Any]:
    ref = {"kind": "Pod", "name": pod_name, "namespace": "default"}
    return {
        "metadata": {"name": "web"},
        "subsets": [
            {
                "addresses": [{"ip": backend.address, "targetRef": ref}],
                "ports": [{"name": "portname1", "port": backend.port}],
            }
        ],
    }


async def fetch(
    cluster: Cluster, path: str, method: str = "GET", **options: Any
) -> tuple[int, str, aiohttp.ClientResponse]:
    url = cluster.server.url + path
    async with cluster.session.request(method, url, allow_redirects=False, **options) as response:
        return response.status, await response.text(), response


async def test_should_proxy_through_a_service_and_a_pod(
    cluster: Cluster, backend: BackendPeer
) -> None:
    for place in (
        f"{PODS}/web",
        f"{PODS}/web:{backend.port}",
        f"{PODS}/http:web:{backend.port}",
        f"{SERVICES}/web:portname1",
        f"{SERVICES}/http:web:portname1",
        f"{SERVICES}/web:80",
    ):
        for path in ("/", "/some/path?q=1", "/a%2Fb//c/"):
            assert (await fetch(cluster, f"{place}/proxy{path}"))[:2] == (200, "answer"), place
            assert backend.requests[-1].path_qs.startswith(path.split("%")[0])
    assert backend.requests[-1].rel_url.raw_path == "/a%2Fb//c/"


@pytest.mark.parametrize("place", ["pods/web", "services/web:portname1"])
async def test_a_set_of_valid_responses_are_returned_for_both_pod_and_service_proxy(
    cluster: Cluster, backend: BackendPeer, place: str
) -> None:
    """And of ProxyWithPath: every method, with and without a path; a root without a slash moves."""
    base = f"/api/v1/namespaces/default/{place}/proxy"
    for path in ("", "/", "/some/path/with/GET"):
        for method in ("DELETE", "OPTIONS", "PATCH", "POST", "PUT"):
            code, text, _ = await fetch(cluster, f"{base}{path}?method={method}", method)
            assert (code, text, backend.requests[-1].method) == (200, "answer", method)
    for method in ("GET", "HEAD"):
        code, _, response = await fetch(cluster, f"{base}?method={method}", method)
        assert code == 301
        assert response.headers["Location"] == f"{base}/?method={method}"
        code, text, _ = await fetch(cluster, f"{base}/?method={method}", method)
        assert (code, text) == (200, "answer" if method == "GET" else "")


async def test_headers_pass_but_for_those_of_the_hop(
    cluster: Cluster, backend: BackendPeer
) -> None:
    headers = {
        "Authorization": "Bearer secret", "Connection": "close, X-Hop", "X-Hop": "1",
        "X-Forwarded-For": "203.0.113.9", "X-Mine": "2", "User-Agent": "me", "TE": "trailers",
    }  # fmt: skip
    path = f"{PODS}/web/proxy/x"
    _, _, response = await fetch(cluster, path, headers=headers)
    asked = backend.requests[-1].headers
    assert (asked["X-Mine"], asked["User-Agent"]) == ("2", "me")
    assert asked["X-Forwarded-For"] == "203.0.113.9, 127.0.0.1"
    assert asked["X-Forwarded-Uri"] == path
    assert asked["Host"] == cluster.server.url.removeprefix("https://")
    assert not {"Authorization", "X-Hop", "TE"} & set(asked)
    assert (response.headers["X-Backend"], response.headers["Set-Cookie"]) == ("1", "a=b")
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_a_large_body_is_streamed(
    cluster: Cluster, backend: BackendPeer, is_chunked: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield bytes(1_000_000)

    data: Any = pieces() if is_chunked else io.BytesIO(bytes(10_000_000))
    assert (await fetch(cluster, f"{PODS}/web/proxy/x", "POST", data=data))[:2] == (200, "answer")
    assert backend.bodies[-1] == bytes(10_000_000)
    assert ("Content-Length" in backend.requests[-1].headers) is not is_chunked


async def test_an_answer_is_passed_on_as_it_comes(cluster: Cluster, backend: BackendPeer) -> None:
    url = f"{cluster.server.url}{PODS}/web/proxy/stream"
    async with cluster.session.get(url) as response:
        assert await response.content.readline() == b"first\n"
        backend.more.set()
        assert await response.read() == b"second\n"


async def test_a_client_that_leaves_ends_the_call(cluster: Cluster, backend: BackendPeer) -> None:
    url = f"{cluster.server.url}{PODS}/web/proxy/stream"
    async with cluster.session.get(url) as response:
        assert await response.content.readline() == b"first\n"
        response.close()
    async with asyncio.timeout(60):
        await backend.left.wait()


async def test_a_backend_that_breaks_off_is_no_whole_answer(
    cluster: Cluster, backend: BackendPeer
) -> None:
    url = f"{cluster.server.url}{PODS}/web/proxy/broken"
    async with cluster.session.get(url) as response:
        assert await response.content.readline() == b"first\n"
        backend.more.set()
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_a_websocket_passes(cluster: Cluster, backend: BackendPeer) -> None:
    url = f"{cluster.server.url}{PODS}/web/proxy/socket"
    async with cluster.session.ws_connect(url, protocols=("echo",)) as socket:
        assert socket.protocol == "echo"
        for text in ("hello", "x" * 1_000_000):
            await socket.send_str(text)
            assert await socket.receive_str() == text
    async with asyncio.timeout(60):
        await backend.left.wait()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await cluster.session.ws_connect(f"{cluster.server.url}{PODS}/web/proxy/refused")
    assert refused.value.status == 418


@pytest.mark.parametrize("path", ["page", "packed"])
async def test_links_of_a_page_point_to_the_proxy(cluster: Cluster, path: str) -> None:
    base = f"{PODS}/web/proxy"
    _, text, response = await fetch(cluster, f"{base}/{path}")
    assert f'<link href="{base}/style.css">' in text
    assert f'background="{base}/b.png"' in text
    assert f'href="{base}/here?a=1&amp;b=2"' in text
    for same in (
        """var a = '<a href="/x">';""",
        '<!-- <a href="/no"> -->',
        'href="relative"',
        'href="http://other.example/there"',
        'src="//other.example/i"',
    ):
        assert same in text
    assert response.headers["Content-Type"].startswith("text/html")
    _, _, moved = await fetch(cluster, f"{base}/moved")
    assert (moved.status, moved.headers["Location"]) == (302, f"{base}/elsewhere?x=1")


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        (f"{PODS}/none/proxy/", 404, 'pods "none" not found'),
        (f"{PODS}/ftp:web:1/proxy/", 400, 'invalid pod request "ftp:web:1"'),
        (f"{PODS}/web:x/proxy/", 400, 'invalid port "x"'),
        (f"{PODS}/p/proxy/", 400, "address not allowed"),
        (f"{PODS}/web:1/proxy/", 503, "error trying to reach service: dial tcp "),
        (f"{SERVICES}/none/proxy/", 404, 'endpoints "none" not found'),
        (f"{SERVICES}/none:80/proxy/", 404, 'services "none" not found'),
        (f"{SERVICES}/web:99/proxy/", 503, 'no service port 99 found for service "web"'),
        (f"{SERVICES}/web:empty/proxy/", 503, 'no endpoints available for service "web"'),
        (f"{SERVICES}/lonely:80/proxy/", 503, 'no endpoints available for service "lonely"'),
        ("/api/v1/nodes/none/proxy/", 404, 'nodes "none" not found'),
        (f"/api/v1/nodes/{NODE}:1/proxy/", 400, "address not allowed"),
    ],
)
async def test_what_cannot_be_reached(
    cluster: Cluster, backend: BackendPeer, path: str, code: int, message: str
) -> None:
    found, status = await cluster.send("GET", path)
    assert (found, status["kind"]) == (code, "Status")
    assert status["message"].startswith(message.replace("ADDRESS", backend.address))
    assert "connect: " not in message or status["message"].endswith("connection refused")


async def test_endpoints_that_name_a_pod_of_another_address_are_not_called(
    cluster: Cluster, backend: BackendPeer
) -> None:
    code, _ = await cluster.send("PUT", f"{ENDPOINTS}/web", endpoints(backend, "p"))
    assert code == 200
    async with asyncio.timeout(60):  # until the server's cache has the change
        while (await fetch(cluster, f"{SERVICES}/web:80/proxy/"))[0] == 200:
            pass
    code, status = await cluster.send("GET", f"{SERVICES}/web:80/proxy/")
    assert (code, status["reason"]) == (503, "ServiceUnavailable")


async def test_a_node_is_its_kubelet(cluster: Cluster) -> None:
    for name in (NODE, f"{NODE}:{cluster.kubelet.port}"):
        path = f"/api/v1/nodes/{name}/proxy/containerLogs/default/p/c?tailLines=5"
        assert (await fetch(cluster, path))[:2] == (200, "first\n")
    assert cluster.kubelet.queries[-1][1] == {"tailLines": ["5"]}


def test_names_of_urls() -> None:
    assert split_name("web", "pod") == ("http", "web", "")
    assert split_name("web:80", "pod") == ("http", "web", "80")
    assert split_name("https:web:", "service") == ("https", "web", "")
    for wrong in ("", ":80", "a:b:c:d", "x:web:1"):
        with pytest.raises(BadRequest):
            split_name(wrong, "pod")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "x", ""]
)
def test_addresses_that_only_this_machine_could_mean(address: str) -> None:
    with pytest.raises(BadRequest):
        check_address(address)
