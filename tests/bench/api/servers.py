"""The processes of the API server's benchmark: a store, API servers on it, the constant server."""

import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from control_plane.pki.cluster import ClusterPki
from tests.bench.machine import REPOSITORY
from tests.support.apiserver import cluster_pki
from tests.support.ports import free_port

START_SECONDS = 60.0
END_SECONDS = 15.0
ADMIN = "admin"


@dataclass(slots=True)
class HttpsServer:
    """A process that answers over HTTPS; `ready_path` is asked until it answers 200."""

    argv: Sequence[str]
    url: str
    pki: ClusterPki
    log: Path
    ready_path: str
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def pid(self) -> int:
        """The process."""
        return self.process.pid

    def start(self) -> float:
        """Start it; return the seconds until it was ready."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.argv], cwd=REPOSITORY, stdout=log, stderr=log
            )
        context = self.tls()
        while not self._is_ready(context):
            if self.process.poll() is not None or time.monotonic() - began > START_SECONDS:
                words = self.log.read_text(errors="replace")[-500:]
                raise RuntimeError(f"{self.argv[0]} is not ready: {words}")
            time.sleep(0.02)
        return time.monotonic() - began

    def end(self) -> None:
        """End it, and wait for its end."""
        self.process.terminate()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def tls(self) -> ssl.SSLContext:
        """The administrator's side of a connection."""
        own = self.pki.pair(ADMIN)
        context = ssl.create_default_context(cafile=str(self.pki.pair("ca").certificate))
        context.load_cert_chain(own.certificate, own.key)
        return context

    def read(self, path: str) -> bytes:
        """GET a path as the administrator."""
        with urllib.request.urlopen(self.url + path, context=self.tls()) as answer:
            return bytes(answer.read())

    def post(self, path: str, body: bytes, method: str = "POST") -> None:
        """POST or PUT JSON as the administrator."""
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, head, method=method)
        with urllib.request.urlopen(request, context=self.tls()) as answer:
            answer.read()

    def _is_ready(self, context: ssl.SSLContext) -> bool:
        try:
            with urllib.request.urlopen(self.url + self.ready_path, context=context, timeout=5):
                return True
        except OSError:
            return False


@contextmanager
def running(server: HttpsServer) -> Iterator[HttpsServer]:
    """Run a server for the duration of the block."""
    server.start()
    try:
        yield server
    finally:
        server.end()


def api_server(store: str, directory: Path, *flags: str) -> HttpsServer:
    """An API server on a store, with the certificates in a directory, which two may share."""
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    pki = cluster_pki(directory, url)
    authority, own = pki.pair("ca").certificate, pki.pair("apiserver")
    argv = [
        *("tapir", "apiserver", f"--etcd-servers={store}"),
        *("--bind-address=127.0.0.1", f"--secure-port={port}"),
        f"--client-ca-file={authority}",
        f"--tls-cert-file={own.certificate}",
        f"--tls-private-key-file={own.key}",
        f"--service-account-key-file={pki.service_account_public_key}",
        f"--service-account-signing-key-file={pki.service_account_key}",
        *flags,
    ]
    return HttpsServer(argv, url, pki, directory / f"apiserver-{port}.log", "/readyz")


def constant_server(directory: Path, pki: ClusterPki, **answers: bytes) -> HttpsServer:
    """The constant server, with answers by name."""
    port = free_port()
    served = directory / f"constant-{port}"
    shutil.rmtree(served, ignore_errors=True)
    served.mkdir()
    for name, body in answers.items():
        (served / name).write_bytes(body)
    authority, own = pki.pair("ca").certificate, pki.pair("apiserver")
    argv = ["tests.bench.api.constant", str(port)]
    argv += [str(path) for path in (authority, own.certificate, own.key, served)]
    log = directory / f"constant-{port}.log"
    return HttpsServer(argv, f"https://127.0.0.1:{port}", pki, log, "/")
