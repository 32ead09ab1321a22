"""Whoever is refused while it is still sending can read why, and cannot stay for ever."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from datastore.gateway import parting
from datastore.gateway.connections import Connections
from tests.support.certificates import Authority

MIB = 1 << 20
MORE = b"x" * (8 * MIB)  # more than sockets hold: the client is not done when it is answered
UPGRADE = (
    b"GET /v3/watch HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
POST = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(MORE)
LATE = {
    "a head too large": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", b"431"),
    "a body that nobody wants": (POST, b"429"),
    "no HTTP": (b"\x16\x03\x01\r\n\r\n", b"400"),
    "an upgrade that is not ASCII": (
        UPGRADE + b"Sec-WebSocket-Protocol: Bearer, \xff\r\n\r\n",
        b"400",
    ),
}


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """Answer 429 before anything of the body is read."""
    headers = [(b"content-length", b"4")]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": b"much"})


@contextlib.asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, int]]:
    connections = Connections(refuse)
    with socket.create_server(("127.0.0.1", 0)) as bound:
        await connections.listen([bound], tls)
        try:
            yield bound.getsockname()
        finally:
            await connections.stop(0)


def tell(address: tuple[str, int], data: bytes, tls: ssl.SSLContext | None = None) -> bytes:
    """Send all, and only then read what was answered."""
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(socket.create_connection(address, timeout=60))
        if tls:
            raw = stack.enter_context(tls.wrap_socket(raw, server_hostname=address[0]))
        raw.sendall(data)
        received = b""
        while chunk := raw.recv(65536):
            received += chunk
        return received


async def send_on(writer: asyncio.StreamWriter, data: bytes, pause: float = 0) -> None:
    """Send the same for ever."""
    while True:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(pause)


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What the server and its clients use for TLS."""
    authority = Authority(Path(tmp_path_factory.mktemp("tls")))
    pair = authority.issue("server", ("127.0.0.1",))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair.certificate, pair.key)
    return server, ssl.create_default_context(cafile=str(authority.certificate))


@pytest.mark.parametrize("late", LATE)
async def test_it_reads_the_answer(late: str) -> None:
    begin, status = LATE[late]
    async with listening() as address:
        answer = await asyncio.to_thread(tell, address, begin + MORE)

    assert answer.startswith(b"HTTP/1.1 %b " % status)


@pytest.mark.parametrize("late", LATE)
async def test_it_reads_the_answer_over_tls(
    late: str,
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parting, "LINGER_SILENCE_SECONDS", 0.3)  # TLS has no half to end
    begin, status = LATE[late]
    async with listening(contexts[0]) as address:
        answer = await asyncio.to_thread(tell, address, begin + MORE, contexts[1])

    assert answer.startswith(b"HTTP/1.1 %b " % status)


@pytest.mark.parametrize(
    ("bound", "value"), [("LINGER_BYTES", MIB), ("LINGER_SECONDS", 0.1)], ids=["bytes", "seconds"]
)
async def test_it_cannot_send_for_ever(
    bound: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parting, bound, value)
    async with listening() as address:
        _, writer = await asyncio.open_connection(*address)
        writer.write(LATE["no HTTP"][0])
        with pytest.raises(ConnectionError):
            await send_on(writer, MORE)
        writer.close()


async def test_it_cannot_be_silent_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parting, "LINGER_SILENCE_SECONDS", 0.1)
    async with listening() as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(LATE["no HTTP"][0])
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        with pytest.raises(ConnectionError):
            await send_on(writer, b"x", pause=0.3)  # longer than the silence that is allowed
        writer.close()


async def test_a_rest_of_a_body_may_end_and_another_request_follow() -> None:
    keeping = POST.replace(b"Connection: close\r\n", b"")
    async with listening() as address:
        reader, writer = await asyncio.open_connection(*address)
        for _ in range(2):
            writer.write(keeping)
            assert b" 429 " in await reader.readuntil(b"much")
            writer.write(MORE)
            await writer.drain()
        writer.close()


async def test_a_rest_of_a_body_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datastore.gateway.connections.REST_SECONDS", 0.05)
    async with listening() as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(POST.replace(b"Connection: close\r\n", b""))

        assert (await reader.read()).endswith(b"much")
        writer.close()
