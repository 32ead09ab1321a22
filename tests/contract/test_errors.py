"""Errors that belong to no single call: unknown methods, and metadata."""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import ANSWER_SECONDS, Client, Refusal, refusal
from tests.support.servers import missing_server

pytestmark = [pytest.mark.every_front, pytest.mark.any_backend]
NO_PROTOBUF = b"\x0a\xff"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param(
            "/etcdserverpb.KV/Nothing",
            "unknown method Nothing for service etcdserverpb.KV",
            id="method",
        ),
        pytest.param(
            "/etcdserverpb.Nothing/Range", "unknown service etcdserverpb.Nothing", id="service"
        ),
        pytest.param(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            "unknown service grpc.reflection.v1.ServerReflection",
            id="reflection",
        ),
    ],
)
async def test_an_unknown_call_is_unimplemented(etcd: Client, path: str, text: str) -> None:
    call: Any = etcd.channel.unary_unary(path)

    assert await refusal(call(b"", timeout=60)) == Refusal("UNIMPLEMENTED", text)


@pytest.mark.etcd_since("3.6")
async def test_range_stream_of_3_7_is_there_or_unimplemented(etcd: Client) -> None:
    await etcd.put("a", b"1")
    stream = etcd.kv.RangeStream(pb.RangeRequest(key=etcd.key("a")), timeout=60)

    with suppress(grpc.aio.AioRpcError):
        async for _ in stream:  # the status comes after what was sent
            pass

    assert await stream.code() in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.OK)


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param(("client-api-version", "3.6"), id="client api version"),
        pytest.param(("client-api-version", "nonsense"), id="odd client api version"),
        pytest.param(("hasleader", "true"), id="require leader"),
        pytest.param(("hasleader", "false"), id="hasleader with another value"),
        pytest.param(
            ("authorization", "whatever"),
            id="authorization",
            marks=pytest.mark.etcd_since("3.6"),
        ),
        pytest.param(("x-unknown", "1"), id="anything else"),
        pytest.param(("x-unknown-bin", b"\xff\0"), id="binary"),
    ],
)
async def test_metadata_without_meaning_is_ignored(
    etcd: Client, metadata: tuple[str, str | bytes]
) -> None:
    request = pb.PutRequest(key=etcd.key("a"), value=b"1")

    await etcd.kv.Put(request, metadata=(metadata,), timeout=60)

    assert (await etcd.range("a")).kvs[0].value == b"1"


@pytest.mark.etcd_since("3.6")
async def test_a_client_api_version_that_is_no_text(etcd: Client, tmp_path: Path) -> None:
    """No gRPC library sends such a header, so the frames are nghttp's."""
    body = tmp_path / "body"
    message = pb.RangeRequest(key=etcd.key("a")).SerializeToString()
    body.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
    url = f"http://{etcd.address}/etcdserverpb.KV/Range"

    shown = await _nghttp(url, body, b"client-api-version: \xff")

    assert "grpc-status: 3\n" in shown
    assert "grpc-message: etcdserver: invalid client api version" in shown


async def _nghttp(url: str, body: Path, header: bytes) -> str:
    """Make a gRPC call over plain HTTP/2 and return its frames, %-escapes resolved."""
    program = shutil.which("nghttp") or missing_server("no nghttp: install nghttp2-client")
    fields = [b"content-type: application/grpc", b"te: trailers", header]
    process = await asyncio.create_subprocess_exec(
        *(program, "-v", "-n", "-d", str(body)),
        *(b"-H" + field for field in fields),
        url,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(ANSWER_SECONDS):
        shown, _ = await process.communicate()
    return unquote(shown.decode(errors="replace"))


@pytest.mark.etcd_since("3.6")
async def test_a_deadline_ends_a_stream(etcd: Client) -> None:
    call = etcd.watch_service.Watch(timeout=0.3)
    await call.write(pb.WatchRequest(create_request=pb.WatchCreateRequest(key=etcd.key("a"))))
    assert (await call.read()).created

    # The server and this client's own timer end the call at one moment: who comes first, names it.
    ended = await call.code()
    assert ended in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
    assert (await etcd.range("a")).count == 0


@pytest.mark.parametrize("method", ["Range", "Put", "DeleteRange", "Txn", "Compact"])
async def test_a_message_that_is_no_protobuf_is_internal(etcd: Client, method: str) -> None:
    call: Any = etcd.channel.unary_unary(f"/etcdserverpb.KV/{method}")

    refused = await refusal(call(NO_PROTOBUF, timeout=60))

    assert refused.code == "INTERNAL"
    assert refused.text.startswith("grpc: error unmarshalling request")


@pytest.mark.parametrize("method", ["Watch/Watch", "Lease/LeaseKeepAlive"])
async def test_a_message_that_is_no_protobuf_ends_the_stream(etcd: Client, method: str) -> None:
    call: Any = etcd.channel.stream_stream(f"/etcdserverpb.{method}")(timeout=60)

    await call.write(NO_PROTOBUF)

    assert await call.code() is grpc.StatusCode.INTERNAL
    assert (await call.details()).startswith("grpc: failed to unmarshal the received message")


async def test_unknown_fields_are_ignored(etcd: Client) -> None:
    call: Any = etcd.channel.unary_unary(
        "/etcdserverpb.KV/Put", response_deserializer=pb.PutResponse.FromString
    )
    known = pb.PutRequest(key=etcd.key("a"), value=b"1").SerializeToString()

    await call(known + b"\x98\x06\x01", timeout=60)  # field 99, a varint

    assert (await etcd.range("a")).kvs[0].value == b"1"
