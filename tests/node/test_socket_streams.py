"""Streams over WebSockets through the API server, as the conformance suite reads them."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import kubernetes.client
import kubernetes.config
import kubernetes.stream
import pytest

from control_plane.api.resources import PODS
from tests.node.builders import container, pod
from tests.node.stage import UNTIL_SERVED, Stage, is_running

SERVE = (
    "echo container is alive; mkdir /www; echo hello > /www/index.html; "
    "httpd -p 127.0.0.1:8080 -h /www; exec sleep 10000"
)
pytestmark = pytest.mark.docker


@pytest.fixture
async def web(stage: Stage) -> AsyncIterator[aiohttp.ClientSession]:
    """A running pod, and an administrator's session."""
    await stage.create(pod(container(command=["sh", "-c", SERVE])))
    await stage.until(is_running)
    pki = stage.server.pki
    tls = ssl.create_default_context(cafile=str(pki.pair("ca").certificate))
    tls.load_cert_chain(pki.pair("admin").certificate, pki.pair("admin").key)
    connector = aiohttp.TCPConnector(ssl=tls)
    async with aiohttp.ClientSession(stage.server.url, connector=connector) as session:
        yield session


async def test_should_support_remote_command_execution_over_websockets(
    web: aiohttp.ClientSession,
) -> None:
    command = "&".join(f"command={word}" for word in ("echo", "remote", "execution", "test"))
    path = f"{PODS.path('default', 'web', 'exec')}?stderr=1&stdout=1&container=main&{command}"
    output = b""
    async with web.ws_connect(path, protocols=["channel.k8s.io"]) as socket:
        async for message in socket:
            assert message.data, "a message without a channel"
            if message.data[0] == 1:
                output += message.data[1:]
    assert output == b"remote execution test\n"


@pytest.mark.parametrize("protocol", ["binary.k8s.io", "base64.binary.k8s.io", None])
async def test_should_support_retrieving_logs_from_the_container_over_websockets(
    web: aiohttp.ClientSession, protocol: str | None
) -> None:
    path = f"{PODS.path('default', 'web', 'log')}?container=main"
    content = b""
    async with web.ws_connect(path, protocols=[protocol] if protocol else []) as socket:
        assert socket.protocol == protocol
        async for message in socket:
            is_text = message.type is aiohttp.WSMsgType.TEXT
            assert is_text is (protocol == "base64.binary.k8s.io")
            content += base64.b64decode(message.data) if is_text else message.data
        assert socket.close_code == 1000
    assert content == b"container is alive\n"


async def test_logs_in_an_unknown_protocol(web: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await web.ws_connect(PODS.path("default", "web", "log"), protocols=["v9.k8s.io"])
    assert refused.value.status == 403


async def test_the_official_client_runs_commands_and_reaches_ports(
    web: aiohttp.ClientSession, stage: Stage
) -> None:
    api = await asyncio.to_thread(official_api, stage)
    script = "read line; echo $line; echo oops >&2; exit 3"
    assert await asyncio.to_thread(official_exec, api, script) == ("typed\n", "oops\n", 3)
    await asyncio.to_thread(official_exec, api, UNTIL_SERVED)
    assert await asyncio.to_thread(official_fetch, api, 8080) == (b"hello\n", None)
    failed = await asyncio.to_thread(official_fetch, api, 9)
    assert failed[0] == b""
    assert "connection refused" in str(failed[1])


def official_api(stage: Stage) -> Any:
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(  # type: ignore[no-untyped-call]
        str(stage.server.kubeconfig), client_configuration=configuration
    )
    return kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration))


def official_exec(api: Any, script: str) -> tuple[str, str, int]:
    """Standard output and error of a script that reads a line, and its exit code."""
    socket = kubernetes.stream.stream(
        api.connect_get_namespaced_pod_exec, "web", "default", command=["sh", "-c", script],
        stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False,
    )  # fmt: skip
    socket.write_stdin("typed\n")
    socket.run_forever(timeout=60)
    found = socket.read_stdout(timeout=0), socket.read_stderr(timeout=0), socket.returncode
    socket.sock.shutdown()
    return found


def official_fetch(api: Any, port: int) -> tuple[bytes, Any]:
    forward = kubernetes.stream.portforward(
        api.connect_get_namespaced_pod_portforward, "web", "default", ports=str(port)
    )
    held = forward.socket(port)
    held.settimeout(60)
    answer = b""
    with contextlib.suppress(OSError):  # a refused connection may be closed before or after this
        held.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while data := held.recv(4096):
            answer += data
    held.close()
    forward.websocket.shutdown()  # the client itself leaves it open
    return answer.rpartition(b"\r\n\r\n")[2], forward.error(port)
