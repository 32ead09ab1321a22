"""kubectl exec, attach, cp and port-forward, over WebSockets and over SPDY.

API server and kubelet run in this process, so its memory is that of both.
"""

import asyncio
import hashlib
import os
import resource
from pathlib import Path

import pytest

from tests.node.builders import container, pod
from tests.node.kubectl import Kubectl
from tests.node.stage import UNTIL_SERVED, Stage, is_running

MEBI = 1024 * 1024
SERVE = (
    "mkdir /www; echo hello > /www/index.html; httpd -p 127.0.0.1:8080 -h /www; "
    "while read line; do echo got $line; done; echo input ended"
)
pytestmark = pytest.mark.docker


@pytest.fixture(params=["websockets", "spdy"])
async def kubectl(request: pytest.FixtureRequest, stage: Stage) -> Kubectl:
    """kubectl beside a running pod."""
    command = ["sh", "-c", SERVE]
    await stage.create(
        pod(container(command=command, stdin=True, stdinOnce=True), restartPolicy="Never")
    )
    await stage.until(is_running)
    return Kubectl(stage, sockets=request.param == "websockets")


def peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


async def test_exec(kubectl: Kubectl) -> None:
    failed = await kubectl.run("exec", "web", "--", "sh", "-c", "echo out; echo oops >&2; exit 7")
    assert (failed.code, failed.output) == (7, b"out\n")
    assert failed.errors == b"oops\ncommand terminated with exit code 7\n"
    copied = await kubectl.run("exec", "-i", "web", "--", "cat", stdin=b"a\nb\n")
    assert (copied.code, copied.output) == (0, b"a\nb\n")
    unknown = await kubectl.run("exec", "web", "--", "/no/such/command")
    assert unknown.code != 0
    assert b"no such file or directory" in unknown.output + unknown.errors


async def test_attach(kubectl: Kubectl) -> None:
    """The container's input is open once, so that it ends with kubectl's, and the pod with it."""
    async with asyncio.timeout(60):
        fed = await kubectl.run("attach", "-i", "-q", "web", stdin=b"one\ntwo\n")
        late = await kubectl.run("attach", "web")
    assert fed.output == b"got one\ngot two\ninput ended\n"
    assert late.code != 0


async def test_cp_of_100_mb_in_both_directions(kubectl: Kubectl, tmp_path: Path) -> None:
    content = os.urandom(100 * MEBI)
    (tmp_path / "sent").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    del content
    before = peak_memory()
    sent = await kubectl.run("cp", str(tmp_path / "sent"), "web:/tmp/sent")
    assert sent.code == 0, sent.errors
    found = await kubectl.run("exec", "web", "--", "sha256sum", "/tmp/sent")
    assert found.output.split()[0].decode() == digest
    back = await kubectl.run("cp", "web:/tmp/sent", str(tmp_path / "back"))
    assert back.code == 0, back.errors
    assert peak_memory() - before < 48 * MEBI
    assert hashlib.sha256((tmp_path / "back").read_bytes()).hexdigest() == digest


async def test_port_forward_of_100_mb_in_both_directions(kubectl: Kubectl) -> None:
    """`cat` in the pod sends back what comes, and ends when we end our half."""
    await kubectl.run("exec", "web", "--", "sh", "-c", "nc -l -p 9000 -e cat >/dev/null 2>&1 &")
    sent, received = hashlib.sha256(), hashlib.sha256()
    before = peak_memory()
    async with asyncio.timeout(100), kubectl.forwarding("pod/web", "9000") as (port,):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def send() -> None:
            for _ in range(100):
                piece = os.urandom(MEBI)
                sent.update(piece)
                writer.write(piece)
                await writer.drain()
            writer.write_eof()

        async def receive() -> int:
            size = 0
            while data := await reader.read(MEBI):
                received.update(data)
                size += len(data)
            return size

        _, size = await asyncio.gather(send(), receive())
        writer.close()
    assert size == 100 * MEBI
    assert received.digest() == sent.digest()
    assert peak_memory() - before < 48 * MEBI


async def test_port_forward_serves_one_connection_after_the_other_and_at_once(
    kubectl: Kubectl,
) -> None:
    async def fetch(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer

    await kubectl.run("exec", "web", "--", "sh", "-c", UNTIL_SERVED)
    async with asyncio.timeout(60), kubectl.forwarding("pod/web", "8080") as (port,):
        answers = [await fetch(port) for _ in range(3)]
        answers += await asyncio.gather(*(fetch(port) for _ in range(20)))
    assert {answer.rpartition(b"\r\n\r\n")[2] for answer in answers} == {b"hello\n"}
