"""TLS of the HTTP listeners, judged by a real etcd."""

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.certificates import Authority, Pair
from tests.support.ports import free_port
from tests.support.secure_server import ETCD, OURS, SecureServer

REFUSED = "CommonName of client sending a request against gateway will be ignored"


class Listener:
    """A server with TLS on its HTTP URL, and a client of that."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.authority = Authority(directory)
        self.good, self.bad = (self.authority.issue(name) for name in ("good", "bad"))
        self.port = free_port()
        between = Authority(directory, "bad-ca", above=self.authority)
        self.under = between.issue("under")
        pair = self.authority.issue("server", ("127.0.0.1",))
        flags = (
            f"--cert-file={pair.certificate}",
            f"--key-file={pair.key}",
            f"--trusted-ca-file={self.authority.certificate}",
            "--client-cert-auth",
            f"--client-crl-file={self.authority.revoke(self.bad, between)}",
            f"--listen-client-http-urls=https://127.0.0.1:{self.port}",
        )
        self.server = SecureServer(kind, directory, flags)

    def ask(self, method: str, path: str, body: str = "", client: Pair | None = None) -> str:
        """Return status and body."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        shown = client or self.good
        context.load_cert_chain(shown.certificate, shown.key)
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=context, timeout=60
        )
        with closing(connection):
            connection.request(method, path, body)
            response = connection.getresponse()
            return f"{response.status} {response.read().decode()}"


@pytest.fixture(params=[OURS, ETCD], scope="module")
def listener(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Listener]:
    listener = Listener(request.param, tmp_path_factory.mktemp("tls"))
    with listener.server:
        yield listener


def test_certificates(listener: Listener) -> None:
    ask = listener.ask
    assert ask("GET", "/health").startswith("200 ")
    assert ask("POST", "/v3/kv/range", '{"key": "YQ=="}').startswith("200 ")
    with pytest.raises((OSError, http.client.HTTPException)):
        ask("GET", "/health", client=listener.bad)
    with pytest.raises((OSError, http.client.HTTPException)):
        ask("GET", "/health", client=listener.under)
    _enable_auth(listener)

    refused = ask("POST", "/v3/kv/range", '{"key": "YQ=="}')

    assert refused.startswith(f"400 {REFUSED}")
    assert ask("POST", "/v3beta/nope").startswith("400 ")
    assert ask("GET", "/health").startswith("200 ")
    assert ask("GET", "/version").startswith("200 ")
    assert ask("POST", "/nope").startswith("404 ")


def test_cleartext_is_dropped(listener: Listener) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", listener.port, timeout=60)) as plain:
        plain.request("GET", "/health")
        try:
            status = plain.getresponse().status
        except (OSError, http.client.HTTPException):
            status = 0

    assert status in (0, 400)


def _enable_auth(listener: Listener) -> None:
    for path, body in (
        ("user/add", {"name": "root", "password": "p"}),
        ("user/grant", {"user": "root", "role": "root"}),
        ("enable", {}),
    ):
        answer = listener.ask("POST", f"/v3/auth/{path}", json.dumps(body))
        assert answer.startswith("200 "), answer
