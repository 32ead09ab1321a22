"""A handshake of HTTPS that is refused is a line in the log, and a flood of them is a few."""

import asyncio
import logging
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from datastore.tls import handshakes
from datastore.tls.contexts import server_context
from datastore.tls.files import Certificates
from datastore.tls.handshakes import LINES, SECONDS, Refusals
from datastore.tls.options import TlsOptions
from tests.support.certificates import Authority


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshakes, "_refusals", Refusals())


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    """That of a listener which wants a certificate of its clients."""
    authority = Authority(tmp_path)
    pair, ca = authority.issue("server", ["127.0.0.1"]), str(authority.certificate)
    options = TlsOptions(
        str(pair.certificate), str(pair.key), trusted_ca_file=ca, client_cert_auth=True
    )
    return server_context(options, Certificates(options.cert_file, options.key_file, ca))


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "handshake" in record.message]


async def test_the_log_says_why(context: ssl.SSLContext, caplog: pytest.LogCaptureFixture) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    async with server:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        with suppress(OSError):  # some clients are told why, some only that it ends
            await reader.read()
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        await reader.read()
        writer.close()

    assert said(caplog) == [
        "tls handshake refused reason=peer did not return a certificate left_out=0",
        "tls handshake refused reason=http request left_out=0",
    ]


def test_a_flood_is_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    refusals = Refusals()
    for _ in range(LINES + 5):
        refusals.add("wrong version number", 100.0)
    refusals.add("wrong version number", 100.0 + SECONDS)

    assert len(said(caplog)) == LINES + 1
    assert said(caplog)[-1].endswith("left_out=5")
