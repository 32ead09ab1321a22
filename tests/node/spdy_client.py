"""A client of the kubelet's SPDY/3.1 streams, made of the project's own codec.

kubectl is the judge of the codec itself (test_kubectl_streams.py); this client does what kubectl
cannot be made to do.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from control_plane.streams.spdy.session import Session, SpdyStream
from control_plane.streams.upgrade import Endpoint, UpgradeAnswer, ask_for_upgrade, request_head
from tests.node.stage import Stage


class Refused(Exception):
    """The status and text of an answer other than 101."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


async def ask(stage: Stage, target: str, *protocols: str) -> UpgradeAnswer:
    """Ask the kubelet to switch to SPDY."""
    pki = stage.server.pki
    pair = pki.pair("apiserver-kubelet-client")
    tls = ssl.create_default_context(cafile=str(pki.pair("ca").certificate))
    tls.load_cert_chain(pair.certificate, pair.key)
    lines = [
        (b"Host", b"kubelet"),
        (b"Connection", b"Upgrade"),
        (b"Upgrade", b"SPDY/3.1"),
        (b"Content-Length", b"0"),
        *((b"X-Stream-Protocol-Version", name.encode()) for name in protocols),
    ]
    endpoint = Endpoint("127.0.0.1", stage.config.port, tls)
    return await ask_for_upgrade(endpoint, request_head("POST", target, lines))


@asynccontextmanager
async def spdy(stage: Stage, target: str, *protocols: str) -> AsyncIterator[Session]:
    """A session with the kubelet; raises Refused."""
    answer = await ask(stage, target, *protocols)
    if not answer.is_upgraded:
        text = (await answer.wire.read()).decode()
        await answer.wire.close()
        raise Refused(answer.status, text)
    async with Session(answer.wire, client=True) as session:
        yield session


async def read_all(stream: SpdyStream) -> bytes:
    """What a stream brings until it ends."""
    parts = []
    while data := await stream.read():
        parts.append(data)
    return b"".join(parts)
