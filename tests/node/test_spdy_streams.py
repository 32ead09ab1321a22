"""The kubelet's streams over SPDY/3.1: commands, attaching, ports, and clients that misbehave."""

import asyncio
import json
import logging
import random
from typing import Any
from urllib.parse import quote

import pytest

from control_plane.streams.spdy.frames import FrameReader, GoAway
from control_plane.streams.spdy.session import Session, SpdyStream
from node.kubelet.streaming.spdy_upgrade import PROTOCOL_HEADER
from tests.node.builders import container, pod
from tests.node.spdy_client import Refused, ask, read_all, spdy
from tests.node.stage import UNTIL_SERVED, Stage, is_running

V4 = "v4.channel.k8s.io"
PORTS = "portforward.k8s.io"
SERVE = (
    "mkdir /www; echo hello > /www/index.html; httpd -p 127.0.0.1:8080 -h /www; "
    "while read line; do echo got $line; done; echo input ended"
)


@pytest.fixture
async def web(stage: Stage) -> Stage:
    """A stage with a running pod that echoes lines, and serves on its own localhost only."""
    command = ["sh", "-c", SERVE]
    await stage.create(
        pod(container(command=command, stdin=True, stdinOnce=True), restartPolicy="Never")
    )
    await stage.until(is_running)
    return stage


async def opened(session: Session, *kinds: str) -> list[SpdyStream]:
    return [await session.open({"streamType": kind}) for kind in kinds]


async def listed(stage: Stage) -> bytes:
    """The processes of the pod's container."""
    target = "/exec/default/web/main?output=1&command=ps&command=-o&command=args"
    async with spdy(stage, target, V4) as session:
        _, out = await opened(session, "error", "stdout")
        return await read_all(out)


async def until_served(stage: Stage) -> None:
    """Wait for what the pod serves."""
    target = f"/exec/default/web/main?output=1&command=sh&command=-c&command={quote(UNTIL_SERVED)}"
    async with spdy(stage, target, V4) as session:
        _, out = await opened(session, "error", "stdout")
        await read_all(out)


async def status_of(stream: SpdyStream) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(await read_all(stream))
    return status


async def connection(session: Session, port: str, ident: str = "0") -> list[SpdyStream]:
    """The data and error streams of a connection to `port`."""
    headers = {"port": port, "requestID": ident}
    error = await session.open({"streamType": "error", **headers})
    await error.end()
    return [await session.open({"streamType": "data", **headers}), error]


@pytest.mark.docker
class TestCommands:
    async def test_output_and_exit_code(self, web: Stage) -> None:
        target = "/exec/default/web/main?output=1&error=1&command=sh&command=-c&command="
        script = "echo%20out;echo%20err%3E%262;exit%207"
        async with asyncio.timeout(30), spdy(web, target + script, "v9.x", V4) as session:
            error, out, err = await opened(session, "error", "stdout", "stderr")
            assert (await read_all(out), await read_all(err)) == (b"out\n", b"err\n")
            status = await status_of(error)
        assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]

    async def test_input_ends_when_the_client_ends_its_stream(self, web: Stage) -> None:
        target = "/exec/default/web/main?output=1&input=1&command=cat"
        async with asyncio.timeout(30), spdy(web, target, V4) as session:
            error, stdin, out = await opened(session, "error", "stdin", "stdout")
            await stdin.write(b"some\ninput\n")
            await stdin.end()
            assert await read_all(out) == b"some\ninput\n"
            assert (await status_of(error))["status"] == "Success"

    async def test_a_terminal_is_resized(self, web: Stage) -> None:
        script = "while%20read%20go;do%20stty%20size;done"
        target = "/exec/default/web/main?output=1&input=1&tty=1&command=sh&command=-c&command="
        async with asyncio.timeout(30), spdy(web, target + script, V4) as session:
            _, stdin, out, resize = await opened(session, "error", "stdin", "stdout", "resize")
            await resize.write(b'{"Width":99,"Height":33}\n')
            received = b""
            while b"33 99" not in received:  # the size and the lines come by different streams
                await stdin.write(b"go\n")
                received += await out.read()

    async def test_attaching_closes_the_input_of_a_container_that_wants_it_once(
        self, web: Stage
    ) -> None:
        target = "/attach/default/web/main?output=1&input=1"
        async with asyncio.timeout(30), spdy(web, target, V4) as session:
            _, stdin, out = await opened(session, "error", "stdin", "stdout")
            await stdin.write(b"hello\n")
            received = await out.read()
            await stdin.end()
            while b"input ended\n" not in received:
                received += await out.read()
        assert received.startswith(b"got hello\n")

    async def test_older_protocols_end_with_text(self, web: Stage) -> None:
        target = "/exec/default/web/main?output=1&command=false"
        async with asyncio.timeout(30), spdy(web, target, "channel.k8s.io") as session:
            (error, _) = await opened(session, "error", "stdout")
            expected = b"command terminated with non-zero exit code: exit status 1"
            assert await read_all(error) == expected

    async def test_handshakes_that_are_refused(self, web: Stage) -> None:
        target = "/exec/default/web/main?output=1&command=ls"
        for protocols, status, text in (
            ((), 400, f"unable to upgrade: {PROTOCOL_HEADER} is required"),
            (("v9",), 403, "unable to negotiate protocol: client supports [v9], server accepts ["),
        ):
            with pytest.raises(Refused) as refused:
                async with spdy(web, target, *protocols):
                    pass
            assert refused.value.status == status
            assert text in refused.value.text

    async def test_a_client_that_leaves_ends_the_command(self, web: Stage) -> None:
        target = "/exec/default/web/main?output=1&command="
        async with asyncio.timeout(60):
            for command in ("yes", "sh&command=-c&command=echo%20y;exec%20sleep%2012345"):
                async with spdy(web, target + command, V4) as session:
                    _, out = await opened(session, "error", "stdout")
                    assert (await out.read()).startswith(b"y\n")
            while b"12345" in await listed(web) or b" yes\n" in await listed(web):
                await web.breathe()


@pytest.mark.docker
class TestPorts:
    async def test_connections_reach_the_pods_own_localhost(self, web: Stage) -> None:
        await until_served(web)
        async with asyncio.timeout(30), spdy(web, "/portForward/default/web", PORTS) as session:
            for ident in ("0", "1"):
                data, error = await connection(session, "8080", ident)
                await data.write(b"GET / HTTP/1.0\r\n\r\n")
                await data.end()
                assert (await read_all(data)).endswith(b"\r\n\r\nhello\n")
                assert await read_all(error) == b""

    async def test_a_port_where_nothing_listens(self, web: Stage) -> None:
        async with asyncio.timeout(30), spdy(web, "/portForward/default/web", PORTS) as session:
            data, error = await connection(session, "9")
            text = (await read_all(error)).decode()
            assert text.startswith("error forwarding port 9 to pod ")
            assert "IPv4: dial tcp4 127.0.0.1:9: connect: connection refused" in text
            assert await read_all(data) == b""

    @pytest.mark.parametrize("headers", [{"port": "0"}, {"port": "x"}, {}, {"port": "99999"}])
    async def test_streams_that_make_no_sense_are_reset(
        self, web: Stage, headers: dict[str, str]
    ) -> None:
        await until_served(web)
        async with asyncio.timeout(30), spdy(web, "/portForward/default/web", PORTS) as session:
            with pytest.raises(ConnectionError):
                await session.open({"streamType": "error", **headers})
            with pytest.raises(ConnectionError):
                await session.open({"streamType": "stdin", "port": "8080"})
            data, _ = await connection(session, "8080")
            await data.write(b"GET / HTTP/1.0\r\n\r\n")
            assert (await read_all(data)).endswith(b"hello\n")


@pytest.mark.parametrize("runtime_name", ["simulated"])
async def test_a_simulated_pod_has_no_ports(stage: Stage) -> None:
    await stage.create(pod())
    await stage.until(is_running)
    async with asyncio.timeout(30), spdy(stage, "/portForward/default/web", PORTS) as session:
        _, error = await connection(session, "80")
        assert b"this node simulates containers" in await read_all(error)


@pytest.mark.parametrize("runtime_name", ["simulated"])
async def test_a_client_that_speaks_no_spdy_is_told_and_closed(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.create(pod())
    await stage.until(is_running)
    source = random.Random(5)
    for size in (8, 100, 10_000):
        answer = await ask(stage, "/portForward/default/web", PORTS)
        # A control frame of another version comes first: the rest may be anything.
        await answer.wire.write(b"\x80\x09\x00\x01" + source.randbytes(size))
        received = b""
        async with asyncio.timeout(30):
            while data := await answer.wire.read():
                received += data
        assert FrameReader().feed(received) == [GoAway(1)]
        await answer.wire.close()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
