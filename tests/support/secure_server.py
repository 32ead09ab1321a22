"""A server, ours or a real etcd, with a TLS listener beside a plaintext one; and a client of it."""

import socket
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import grpc
import yaml

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.support.certificates import Authority, Pair
from tests.support.datastore import REPOSITORY
from tests.support.etcd import etcd_binary
from tests.support.ports import free_port
from tests.support.server_process import ServerDied, ServerProcess

OURS, ETCD = "tapir", "real-etcd"
SECONDS = 30.0
START_ATTEMPTS = 3  # another process may take a port between its choice and its use
SERVED = "served"


class SecureServer:
    """Serves `https` on `port`, `http` on another, and `more` URLs; etcd's flags for both kinds.

    `directory` holds data and log. With `sections` everything is said in a configuration file,
    which has these beside the flags.
    """

    def __init__(
        self,
        kind: str,
        directory: Path,
        flags: Sequence[str],
        *more: str,
        sections: Mapping[str, object] | None = None,
    ) -> None:
        for attempt in range(START_ATTEMPTS):
            self.log = directory / f"log-{attempt}"
            self._process = self._start(kind, directory, (*more,), flags, sections)
            try:
                self._process.wait()
            except ServerDied:
                if attempt == START_ATTEMPTS - 1:
                    raise
            else:
                break
        self.plain = self._process.endpoint

    def _start(
        self,
        kind: str,
        directory: Path,
        more: Sequence[str],
        flags: Sequence[str],
        sections: Mapping[str, object] | None,
    ) -> ServerProcess:
        self.port, plain = free_port(), free_port()
        urls = ",".join([self.endpoint, f"http://127.0.0.1:{plain}", *more])
        program, own = self._program(kind)
        told = [
            *own,
            f"--data-dir={directory / 'data'}",
            f"--listen-client-urls={urls}",
            f"--advertise-client-urls={urls}",
            *flags,
        ]
        if sections is not None:
            told = [f"--config-file={_written(directory / 'server.yml', told, sections)}"]
        environment = {"PYTHONPATH": str(REPOSITORY)}
        return ServerProcess([*program, *told], plain, self.log, environment)

    @property
    def endpoint(self) -> str:
        """The URL of the TLS listener."""
        return f"https://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # a politely asked etcd waits for its clients

    def certificate(self) -> bytes:
        """The certificate that is shown to a client, as DER."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        with self.handshake(context) as connection:
            shown = connection.getpeercert(binary_form=True)
        assert shown is not None
        return shown

    def handshake(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Connect with TLS; ssl.SSLError or OSError when the server will not."""
        connection = socket.create_connection(("127.0.0.1", self.port), SECONDS)
        try:
            return context.wrap_socket(connection, server_hostname="127.0.0.1")
        except OSError:
            connection.close()
            raise

    def call(self, authority: Authority, client: Pair | None = None) -> str:
        """Read a key over a new TLS connection; SERVED, or why not."""
        return call(f"127.0.0.1:{self.port}", authority, client)

    @staticmethod
    def _program(kind: str) -> tuple[list[str], list[str]]:
        """The command of a kind, and the flags that it needs always."""
        if kind == OURS:
            return [sys.executable, "-m", "datastore"], []
        peer = f"http://127.0.0.1:{free_port()}"
        return [str(etcd_binary().path)], [
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        ]


def _written(path: Path, flags: Sequence[str], sections: Mapping[str, object]) -> Path:
    """Write flags and sections as a configuration file."""
    pairs = (flag.removeprefix("--").partition("=") for flag in flags)
    path.write_text(yaml.safe_dump({name: text for name, _, text in pairs} | dict(sections)))
    return path


def call(address: str, authority: Authority, client: Pair | None = None) -> str:
    """Read a key over a new TLS connection; SERVED, or why not."""
    key, chain = (
        (client.key.read_bytes(), client.certificate.read_bytes()) if client else (None,) * 2
    )
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes(), key, chain)
    options = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.ssl_target_name_override", "127.0.0.1"),
    ]
    with grpc.secure_channel(address, credentials, options) as channel:
        try:
            stub = rpc_pb2_grpc.KVStub(channel)
            stub.Range(pb.RangeRequest(key=b"a"), timeout=SECONDS)
        except grpc.RpcError as error:
            return f"{error.code().name}: {error.details()}"
    return SERVED
