"""`kubectl proxy`, by the conformance tests' names: the API through kubectl's own server."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.apiserver import ThreadedApiServer

KUBECTL = Path(sys.executable).with_name("kubectl")


@contextmanager
def kubectl_proxy(server: ThreadedApiServer, flag: str) -> Iterator[str]:
    """Run it, and yield where it says that it serves."""
    command = [str(KUBECTL), f"--kubeconfig={server.kubeconfig}", "proxy", flag]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip().removeprefix("Starting to serve on ")
    finally:
        process.terminate()
        process.communicate()


def versions(connection: http.client.HTTPConnection) -> Any:
    connection.request("GET", "/api/", headers={"Host": "localhost"})
    found = json.loads(connection.getresponse().read())
    connection.close()
    return found["versions"]


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Proxy server should support proxy with --port 0 [Conformance]",
)
def test_should_support_proxy_with_port_0(server: ThreadedApiServer) -> None:
    with kubectl_proxy(server, "--port=0") as place:
        assert versions(http.client.HTTPConnection(place)) == ["v1"]


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Proxy server should support --unix-socket=/path [Conformance]",
)
def test_should_support_unix_socket_path(server: ThreadedApiServer, tmp_path: Path) -> None:
    path = tmp_path / "proxy.sock"
    with kubectl_proxy(server, f"--unix-socket={path}") as place:
        assert place == str(path)
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(path))
        assert versions(connection) == ["v1"]
