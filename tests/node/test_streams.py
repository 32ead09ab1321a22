"""The kubelet's HTTPS server, asked as the API server asks it: logs, exec, and who is let in."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest

from tests.node.builders import container, pod
from tests.node.stage import Stage, is_running

CALLER = "apiserver-kubelet-client"
SCRIPT = "echo one; echo two >&2; echo three; exec sleep 1000"


@asynccontextmanager
async def session_of(stage: Stage, caller: str | None = CALLER) -> AsyncIterator[Any]:
    """An HTTP session that shows the certificate of `caller`."""
    ca = stage.server.pki.pair("ca").certificate
    context = ssl.create_default_context(cafile=str(ca))
    if caller is not None:
        pair = stage.server.pki.pair(caller)
        context.load_cert_chain(pair.certificate, pair.key)
    base = f"https://127.0.0.1:{stage.config.port}"
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(base, connector=connector) as session:
        yield session


@pytest.fixture
async def web(stage: Stage) -> AsyncIterator[aiohttp.ClientSession]:
    """A running pod, and a session to its kubelet."""
    await stage.create(pod(container(command=["sh", "-c", SCRIPT])))
    await stage.until(is_running)
    async with session_of(stage) as session:
        yield session


async def log(session: aiohttp.ClientSession, **params: str) -> tuple[int, str]:
    async with session.get("/containerLogs/default/web/main", params=params) as response:
        return response.status, await response.text()


@pytest.mark.docker
class TestLogs:
    async def test_whole_and_in_part(self, web: aiohttp.ClientSession) -> None:
        assert sorted((await log(web))[1].split()) == ["one", "three", "two"]
        assert len((await log(web, tailLines="2"))[1].splitlines()) == 2
        assert await log(web, tailLines="0") == (200, "")
        assert len((await log(web, limitBytes="5"))[1]) == 5
        line = (await log(web, timestamps="true", tailLines="1"))[1]
        assert line[10] == "T"
        assert line[29:31] == "Z "
        assert await log(web, sinceTime="2999-01-01T00:00:00Z") == (200, "")

    async def test_following(self, web: aiohttp.ClientSession) -> None:
        params = {"follow": "true"}
        path = "/containerLogs/default/web/main"
        async with asyncio.timeout(60), web.get(path, params=params) as response:
            lines = [await response.content.readline() for _ in range(3)]
        assert sorted(lines) == [b"one\n", b"three\n", b"two\n"]

    async def test_what_is_not_there(self, web: aiohttp.ClientSession) -> None:
        expected = 'previous terminated container "main" in pod "web" not found'
        assert await log(web, previous="true") == (400, expected)
        assert (await log(web, tailLines="-1"))[0] == 422
        async with web.get("/containerLogs/default/none/main") as response:
            assert (response.status, await response.text()) == (
                404,
                'pod "none" does not exist\n',
            )


class Exec:
    """What came back from a command, by channel."""

    def __init__(self) -> None:
        self.output: dict[int, bytes] = {}

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = orjson.loads(self.output[3])
        return status


async def run(
    session: aiohttp.ClientSession,
    *command: str,
    protocol: str = "v5.channel.k8s.io",
    send: tuple[bytes, ...] = (),
    **flags: str,
) -> Exec:
    params = [("command", part) for part in command]
    params += list({"output": "1", "error": "1", **flags}.items())
    found = Exec()
    async with asyncio.timeout(60):
        path = "/exec/default/web/main"
        async with session.ws_connect(path, params=params, protocols=[protocol]) as socket:
            assert socket.protocol == protocol
            for message in send:
                await socket.send_bytes(message)
            async for frame in socket:
                channel, data = frame.data[0], frame.data[1:]
                found.output[channel] = found.output.get(channel, b"") + data
            assert socket.close_code == 1000
    return found


@pytest.mark.docker
class TestExec:
    async def test_output_and_exit_code(self, web: aiohttp.ClientSession) -> None:
        found = await run(web, "sh", "-c", "echo out; echo err >&2; exit 7")
        assert (found.output[1], found.output[2]) == (b"out\n", b"err\n")
        assert found.status["reason"] == "NonZeroExitCode"
        assert found.status["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]

    async def test_input_ends_when_the_client_closes_it(self, web: aiohttp.ClientSession) -> None:
        found = await run(web, "cat", send=(b"\x00some\n", b"\x00input\n", b"\xff\x00"), input="1")
        assert found.output[1] == b"some\ninput\n"
        assert found.status == {"metadata": {}, "status": "Success"}

    async def test_a_terminal_has_a_size_and_no_error_stream(
        self, web: aiohttp.ClientSession
    ) -> None:
        size = b'\x04{"Width":99,"Height":33}'
        script = "read go; stty size; echo err >&2"
        send = (size, b"\x00go\n")
        found = await run(web, "sh", "-c", script, send=send, input="1", tty="1")
        assert b"33 99" in found.output[1]
        assert b"err" in found.output[1]
        assert 2 not in found.output

    async def test_large_output_arrives_whole(self, web: aiohttp.ClientSession) -> None:
        found = await run(web, "dd", "if=/dev/zero", "bs=65536", "count=64")
        assert len(found.output[1]) == 65536 * 64

    async def test_older_protocols(self, web: aiohttp.ClientSession) -> None:
        found = await run(web, "echo", "hi", protocol="channel.k8s.io")
        assert found.output == {1: b"hi\n"}

    async def test_requests_that_make_no_sense(self, web: aiohttp.ClientSession) -> None:
        path, headers = "/exec/default/web/main?command=ls", {"Upgrade": "websocket"}
        for query, expected in (
            ("", "you must specify at least 1 of stdin, stdout, stderr"),
            ("&output=1", "requested protocol(s) are not supported: []"),
        ):
            async with web.get(path + query, headers=headers) as response:
                assert response.status in (400, 403)
                assert expected in await response.text()
        async with web.get(path + "&output=1") as response:
            assert await response.text() == "Upgrade request required"


@pytest.mark.docker
async def test_attaching_to_the_main_process(stage: Stage) -> None:
    script = "while read line; do echo got $line; done"
    await stage.create(pod(container(command=["sh", "-c", script], stdin=True)))
    await stage.until(is_running)
    params = {"input": "1", "output": "1"}
    path, protocols = "/attach/default/web/main", ["v4.channel.k8s.io"]
    async with (
        session_of(stage) as session,
        asyncio.timeout(60),
        session.ws_connect(path, params=params, protocols=protocols) as socket,
    ):
        await socket.send_bytes(b"\x00hello\n")
        received = b""
        while b"got hello\n" not in received:
            received += (await socket.receive_bytes())[1:]


@pytest.mark.parametrize("runtime_name", ["simulated"])
class TestPods:
    async def test_pods_are_listed(self, stage: Stage) -> None:
        await stage.create(pod())
        await stage.until(is_running)
        async with session_of(stage) as session, session.get("/pods") as response:
            items = (await response.json())["items"]
        assert [(p["metadata"]["name"], p["status"]["phase"]) for p in items] == [
            ("web", "Running")
        ]

    async def test_a_simulated_pod_has_no_process(self, stage: Stage) -> None:
        await stage.create(pod())
        await stage.until(is_running)
        async with session_of(stage) as session:
            found = await run(session, "ls")
        assert "this node simulates containers" in found.status["message"]
        assert await stage.logs() == ""
