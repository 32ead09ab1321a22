"""gRPC and HTTP on one port, when both flags name it."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.contract.http.web import Web, b64, send_raw
from tests.support.certificates import Authority
from tests.support.datastore import REPOSITORY
from tests.support.ports import free_port
from tests.support.server_process import ServerProcess

MIB = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory, port = tmp_path_factory.mktemp("shared"), free_port()
    argv = [
        *(sys.executable, "-m", "datastore", "--endpoint", f"sqlite:///{directory}/s.db"),
        f"--listen-client-urls=http://127.0.0.1:{port}",
        f"--listen-client-http-urls=http://127.0.0.1:{port}",
    ]
    process = ServerProcess(argv, port, directory / "log", {"PYTHONPATH": str(REPOSITORY)})
    process.wait()
    yield process
    assert process.stop() == 0


@pytest.fixture
def web(server: ServerProcess) -> Web:
    return Web(server.address)


async def test_both_are_served(server: ServerProcess, web: Web) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        kv = rpc_pb2_grpc.KVStub(channel)
        put = await kv.Put(pb.PutRequest(key=b"a", value=b"x" * MIB))

        found = await asyncio.to_thread(web.call, "kv/range", {"key": b64(b"a")})

        assert found["header"]["revision"] == str(put.header.revision)
        assert (await kv.Range(pb.RangeRequest(key=b"a"))).kvs[0].value == b"x" * MIB
    assert (await asyncio.to_thread(web.get, "/health")).status == 200


async def test_a_slow_reader_of_grpc_slows_only_itself(server: ServerProcess, web: Web) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        kv, watches = rpc_pb2_grpc.KVStub(channel), rpc_pb2_grpc.WatchStub(channel)
        watch = watches.Watch()
        await watch.write(pb.WatchRequest(create_request={"key": b"slow"}))
        assert (await watch.read()).created
        for _ in range(12):
            await kv.Put(pb.PutRequest(key=b"slow", value=b"x" * MIB))
        seen = 0
        while seen < 12:
            seen += len((await watch.read()).events)
        watch.cancel()


@pytest.mark.parametrize("data", [b"GET /health HTTP/1.0\r\n\r\n", b"PRI x HTTP/1.1\r\n\r\n"])
def test_the_first_bytes_decide(server: ServerProcess, data: bytes) -> None:
    assert send_raw(server.address, data).startswith(b"HTTP/1.1 ")


def test_not_with_tls(tmp_path: Path) -> None:
    pair, url = Authority(tmp_path).issue("server"), f"https://127.0.0.1:{free_port()}"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "datastore", "--endpoint", f"sqlite:///{tmp_path}/s.db"),
            *(f"--listen-client-urls={url}", f"--listen-client-http-urls={url}"),
            *(f"--cert-file={pair.certificate}", f"--key-file={pair.key}"),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "another port" in done.stderr
