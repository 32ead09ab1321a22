"""`synchronous=FULL`, seen from below: an answer is sent only after the log has been synced.

strace shows every call that a server makes. For each put its value has to be written to the log,
then the log synced, and then only may the answer leave on the client's socket.
"""

import asyncio
from pathlib import Path

import grpc
import pytest

from datastore.tools.check import check
from tests.contract.client import Client, refusal
from tests.robustness.strace import Call, Strace, parse, shown
from tests.support.datastore import Datastore
from tests.support.wait import wait_until

CALLS = "trace=fdatasync,fsync,pwrite64,pwritev,sendmsg,sendto,write,writev"
LOG = shown(b"-wal") + ">"  # the end of the log's name
SENDS = {"sendmsg", "sendto", "write", "writev"}
SYNCS = {"fdatasync", "fsync"}
WRITES = {"pwrite64", "pwritev"}
FRONTS = ["grpcio", "native"]
PUTS, TOGETHER = 20, 8


def marker(number: int) -> bytes:
    return b"marker-%06d" % number


def answer_to(revision: int) -> bytes:
    """Bytes of every answer's header: the revision (field 3), and the raft term (field 4), 2."""
    assert revision < 128
    return bytes((0x18, revision, 0x20, 0x02))


def first(calls: list[Call], names: set[str], where: str, data: bytes) -> Call:
    """Return the first of the calls on such a descriptor that carries the data."""
    return next(c for c in calls if c.name in names and where in c.text and c.mentions(data))


def synced_before_answer(calls: list[Call], number: int, revision: int) -> bool:
    """Say whether the log was synced between the write of a put's value and its answer."""
    written = first(calls, WRITES, LOG, marker(number))
    answered = first(calls, SENDS, "<TCP", answer_to(revision))
    return any(
        call.name in SYNCS
        and LOG in call.text
        and call.text.rstrip().endswith("= 0")
        and written.end < call.start
        and call.end < answered.start
        for call in calls
    )


@pytest.mark.parametrize("front", FRONTS)
async def test_an_answer_leaves_after_the_sync_that_covers_it(front: str, tmp_path: Path) -> None:
    with Datastore(flags=["--grpc-front", front]) as server:
        async with Client(server.address) as etcd:
            await etcd.range("ready")
            with Strace(server.pid, tmp_path / "trace", ["-e", CALLS]) as trace:
                revisions = {}
                for number in range(PUTS):
                    answer = await etcd.put("k", marker(number))
                    revisions[number] = answer.header.revision
                for start in range(PUTS, 3 * PUTS, TOGETHER):
                    together = range(start, start + TOGETHER)
                    answers = await asyncio.gather(
                        *(etcd.put(f"k{number}", marker(number)) for number in together)
                    )
                    found = [answer.header.revision for answer in answers]
                    revisions.update(zip(together, found, strict=True))
                await etcd.range("k")  # so that strace has seen the last answer leave

    calls = trace.calls()
    unsynced = [n for n, at in revisions.items() if not synced_before_answer(calls, n, at)]
    assert len(revisions) >= 3 * PUTS
    assert unsynced == []


def test_an_answer_before_the_sync_would_be_noticed() -> None:
    write = f'10 pwrite64(7<{LOG}, "{shown(marker(1))}", 11, 0) = 11'
    send = f'11 sendmsg(9<TCP:[1:2->3:4]>, "{shown(answer_to(5))}") = 4'
    begun, ended = (
        f"10 fdatasync(7<{LOG} <unfinished ...>",
        "10 <... fdatasync resumed>) = 0",
    )

    assert synced_before_answer(list(parse([write, begun, ended, send])), 1, 5)
    assert not synced_before_answer(list(parse([write, begun, send, ended])), 1, 5)
    assert not synced_before_answer(list(parse([begun, ended, write, send])), 1, 5)
    assert not synced_before_answer(list(parse([write, send])), 1, 5)
    failed = "10 <... fdatasync resumed>) = -1 EIO"
    assert not synced_before_answer(list(parse([write, begun, failed, send])), 1, 5)


async def test_a_sync_that_fails_ends_the_server_and_nothing_is_lost(tmp_path: Path) -> None:
    """After it nobody can say what is on the disk: the server stops at once, and starts anew."""
    fail = ["-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=3+"]
    with Datastore() as server:
        acknowledged = []
        async with Client(server.address) as etcd:
            await etcd.put("before", b"1")
            with Strace(server.pid, tmp_path / "trace", fail):
                for number in range(10):
                    try:
                        await etcd.put(f"k{number}", b"2")
                    except grpc.aio.AioRpcError as error:
                        assert error.code() is grpc.StatusCode.UNAVAILABLE  # noqa: PT017
                        break
                    acknowledged.append(f"k{number}")
                after = await refusal(etcd.put("after", b"3"))
                await asyncio.to_thread(wait_until, lambda: not server.running, "the server to end")
        log = server.log.read_text()
        await asyncio.to_thread(server.start)
        async with Client(server.address) as again:
            found = {kv.key.decode() for kv in (await again.range(b"\0", b"\0")).kvs}
        findings = list(check(server.endpoint_url))

    assert len(acknowledged) < 10
    assert after.code == "UNAVAILABLE"
    assert "the disk did not write what it was given" in log
    assert {"before", *acknowledged} <= found
    assert "after" not in found
    assert findings == []


async def test_a_write_that_fails_fails_its_call_alone(tmp_path: Path) -> None:
    fail = ["-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EIO:when=3..40"]
    with Datastore() as server:
        async with Client(server.address) as etcd:
            await etcd.put("before", b"1")
            with Strace(server.pid, tmp_path / "trace", fail):
                outcomes = [await outcome(etcd, f"k{number}") for number in range(60)]
            await etcd.put("after", b"2")
            found = {kv.key.decode() for kv in (await etcd.range(b"\0", b"\0")).kvs}
        findings = list(check(server.endpoint_url))

    assert set(outcomes) == {"OK", "UNAVAILABLE"}
    told = {f"k{number}" for number, code in enumerate(outcomes) if code == "OK"}
    assert {"before", "after", *told} <= found
    assert findings == []


async def outcome(etcd: Client, key: str) -> str:
    """Put, and return the name of the code."""
    try:
        await etcd.put(key, b"x")
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"
