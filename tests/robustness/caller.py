"""One client of one server: sends requests, and notes what came of them."""

import asyncio
import time
from collections.abc import Sequence

import grpc
import grpc.aio

from proto.etcd import kv_pb2, rpc_pb2_grpc
from proto.etcd import rpc_pb2 as pb
from tests.robustness.history import (
    KV,
    OK,
    REFUSED,
    UNKNOWN,
    Compare,
    Grant,
    Log,
    Op,
    Record,
    Request,
    Result,
)

ANSWER_SECONDS = 20.0
PAUSE_SECONDS = 0.05  # after a failure
OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
]
UNCERTAIN = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
}
NOT_SENT = "failed to connect to all addresses"


Metadata = tuple[tuple[str, str], ...]


def metadata_of(token: str) -> Metadata:
    """Return what shows a server a token, nothing for none."""
    return (("token", token),) if token else ()


def status_of(error: grpc.aio.AioRpcError) -> str:
    """Say whether a call that failed was refused for sure, or may have been done."""
    sent = NOT_SENT not in (error.details() or "")
    return UNKNOWN if error.code() in UNCERTAIN and sent else REFUSED


class Caller:
    """Sends requests, with a token if there is one, and notes what came of them."""

    def __init__(self, address: str, log: Log, token: str = "") -> None:
        self.channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self.metadata = metadata_of(token)
        self._kv = rpc_pb2_grpc.KVStub(self.channel)
        self._lease = rpc_pb2_grpc.LeaseStub(self.channel)
        self.log = log

    async def close(self) -> None:
        await self.channel.close()

    async def call(self, request: Request) -> Record:
        """Send a request, and note and return what is known of it."""
        start = time.monotonic()
        try:
            revision, succeeded, results = await self._send(request)
        except grpc.aio.AioRpcError as error:
            said = f"{error.code().name} {error.details()}"
            record = Record(request, start, time.monotonic(), status_of(error), error=said)
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            end = time.monotonic()
            record = Record(request, start, end, OK, revision, succeeded, tuple(results))
        self.log.records.append(record)
        return record

    async def grant(self, lease: int, ttl: int) -> bool:
        """Grant a lease; say whether it is known to be there."""
        grant = Grant(lease, ttl, time.monotonic())
        self.log.grants.append(grant)
        try:
            asked = pb.LeaseGrantRequest(ID=lease, TTL=ttl)
            await self._lease.LeaseGrant(asked, timeout=ANSWER_SECONDS, metadata=self.metadata)
        except grpc.aio.AioRpcError:
            await asyncio.sleep(PAUSE_SECONDS)
            return False
        grant.told = True
        return True

    async def renew(self, lease: int) -> None:
        """Renew a lease, and note until when it has to live if that was answered."""
        start = time.monotonic()
        call = self._lease.LeaseKeepAlive(timeout=ANSWER_SECONDS, metadata=self.metadata)
        try:
            await call.write(pb.LeaseKeepAliveRequest(ID=lease))
            answer = await call.read()
            await call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await asyncio.sleep(PAUSE_SECONDS)
            return
        if answer is not grpc.aio.EOF and answer.TTL > 0:
            self.log.grants.append(Grant(lease, answer.TTL, start, told=True))

    async def _send(self, request: Request) -> tuple[int, bool, Sequence[Result]]:
        if not request.alone:
            txn = _txn(request)
            answer = await self._kv.Txn(txn, timeout=ANSWER_SECONDS, metadata=self.metadata)
            results = [_result(response) for response in answer.responses]
            return answer.header.revision, answer.succeeded, results
        (op,) = request.success
        if op.kind == "revoke":
            revoke = pb.LeaseRevokeRequest(ID=op.lease)
            gone = await self._lease.LeaseRevoke(
                revoke, timeout=ANSWER_SECONDS, metadata=self.metadata
            )
            return gone.header.revision, True, [Result()]
        method = {"put": self._kv.Put, "delete": self._kv.DeleteRange, "get": self._kv.Range}
        message = _message(op)
        send = method[op.kind]
        reply = await send(message, timeout=ANSWER_SECONDS, metadata=self.metadata)
        return reply.header.revision, True, [_answered(reply)]


def _message(op: Op) -> pb.PutRequest | pb.DeleteRangeRequest | pb.RangeRequest:
    key, end = op.key.encode(), op.end.encode()
    if op.kind == "put":
        return pb.PutRequest(key=key, value=op.value.encode(), lease=op.lease, prev_kv=True)
    if op.kind == "delete":
        return pb.DeleteRangeRequest(key=key, range_end=end, prev_kv=True)
    return pb.RangeRequest(key=key, range_end=end, revision=op.revision)


def _txn(request: Request) -> pb.TxnRequest:
    return pb.TxnRequest(
        compare=[_compare(compare) for compare in request.compares],
        success=[_request_op(op) for op in request.success],
        failure=[_request_op(op) for op in request.failure],
    )


def _compare(compare: Compare) -> pb.Compare:
    return pb.Compare(
        key=compare.key.encode(),
        target=pb.Compare.MOD,
        result=pb.Compare.EQUAL,
        mod_revision=compare.mod,
    )


def _request_op(op: Op) -> pb.RequestOp:
    message = _message(op)
    if isinstance(message, pb.PutRequest):
        return pb.RequestOp(request_put=message)
    if isinstance(message, pb.DeleteRangeRequest):
        return pb.RequestOp(request_delete_range=message)
    return pb.RequestOp(request_range=message)


def _result(response: pb.ResponseOp) -> Result:
    return _answered(getattr(response, response.WhichOneof("response") or ""))


def _answered(reply: pb.PutResponse | pb.DeleteRangeResponse | pb.RangeResponse) -> Result:
    if isinstance(reply, pb.PutResponse):
        return Result((seen(reply.prev_kv),) if reply.HasField("prev_kv") else ())
    if isinstance(reply, pb.DeleteRangeResponse):
        return Result(tuple(map(seen, reply.prev_kvs)), reply.deleted)
    return Result(tuple(map(seen, reply.kvs)))


def seen(kv: kv_pb2.KeyValue) -> KV:
    """Return a key as the history has it."""
    key, value = kv.key.decode(), kv.value.decode()
    return KV(key, value, kv.create_revision, kv.mod_revision, kv.version, kv.lease)
