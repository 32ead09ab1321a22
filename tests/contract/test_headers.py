"""The header of every answer: ids, term and revision (contract: each call says which revision it
means).
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client
from tests.contract.requests import Delete, Put, Range

pytestmark = pytest.mark.every_front
Call = Callable[[Client], Awaitable[Any]]


async def keep_alive(etcd: Client) -> Any:
    """Renew a lease once."""
    async with etcd.keep_alive() as stream:
        return await stream.renew(await etcd.grant())


async def watch_created(etcd: Client) -> Any:
    """Create a watcher."""
    async with etcd.watch() as stream:
        return await stream.create("a")


async def compact_now(etcd: Client) -> Any:
    """Compact the current revision."""
    return await etcd.compact(await etcd.revision())


async def grant_and_revoke(etcd: Client) -> Any:
    """Revoke a lease without keys."""
    return await etcd.revoke(await etcd.grant())


async def revoke_with_a_key(etcd: Client) -> Any:
    """Revoke a lease with a key."""
    lease = await etcd.grant()
    await etcd.put("leased", lease=lease)
    return await etcd.revoke(lease)


CALLS = {
    "range": (lambda etcd: etcd.range("a"), 0),
    "range of nothing": (lambda etcd: etcd.range("missing"), 0),
    "count": (lambda etcd: etcd.range("a", "z", count_only=True), 0),
    "put": (lambda etcd: etcd.put("b"), 1),
    "delete": (lambda etcd: etcd.delete("a"), 1),
    "delete of nothing": (lambda etcd: etcd.delete("missing"), 0),
    "writing txn": (lambda etcd: etcd.txn(success=[Put("b"), Put("c"), Delete("a")]), 1),
    "reading txn": (lambda etcd: etcd.txn(success=[Range("a")]), 0),
    "txn that deletes nothing": (lambda etcd: etcd.txn(success=[Delete("missing")]), 0),
    "compact": (compact_now, 0),
    "lease grant": (lambda etcd: etcd.grant_as(0, 60), 0),
    "lease revoke": (grant_and_revoke, 0),
    "lease revoke with a key": (revoke_with_a_key, 2),
    "lease keep-alive": (keep_alive, 0),
    "lease time-to-live": (lambda etcd: etcd.time_to_live(404), 0),
    "lease leases": (lambda etcd: etcd.send(etcd.lease.LeaseLeases, pb.LeaseLeasesRequest()), 0),
    "status": (lambda etcd: etcd.status(), 0),
    "watch created": (watch_created, 0),
}
EVERY_CALL = pytest.mark.parametrize(
    ("call", "ahead"), [pytest.param(*row, id=name) for name, row in CALLS.items()]
)


@EVERY_CALL
async def test_revision(etcd: Client, call: Call, ahead: int) -> None:
    base = (await etcd.put("a")).header.revision

    header = (await call(etcd)).header

    assert header.revision == base + ahead
    assert await etcd.revision() == base + ahead


@EVERY_CALL
async def test_ids_and_term_are_those_of_status(etcd: Client, call: Call, ahead: int) -> None:
    await etcd.put("a")
    status = (await etcd.status()).header

    header = (await call(etcd)).header

    assert header.cluster_id == status.cluster_id != 0
    assert header.member_id == status.member_id != 0
    assert header.raft_term == status.raft_term >= 1


async def test_a_read_of_the_past_has_the_present_revision(etcd: Client) -> None:
    first = (await etcd.put("a")).header.revision
    last = (await etcd.put("a")).header.revision

    assert (await etcd.range("a", revision=first)).header.revision == last


async def test_headers_inside_a_txn_carry_only_the_revision(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.txn(success=[Put("a"), Range("a"), Delete("x")])

    inner = pb.ResponseHeader(revision=base + 1)
    assert answer.header.member_id != 0
    assert answer.responses[0].response_put.header == inner
    assert answer.responses[1].response_range.header == inner
    assert answer.responses[2].response_delete_range.header == inner


async def test_watch_events_have_whole_headers(etcd: Client) -> None:
    status = (await etcd.status()).header
    async with etcd.watch() as watch:
        await watch.create("a")
        revision = (await etcd.put("a")).header.revision
        header = (await watch.next()).header

    assert header == pb.ResponseHeader(
        cluster_id=status.cluster_id,
        member_id=status.member_id,
        raft_term=status.raft_term,
        revision=revision,
    )
