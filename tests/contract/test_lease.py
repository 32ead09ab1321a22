"""Lease: granting, attaching, renewing, asking, revoking."""

import asyncio
from typing import Any

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import ANSWER_SECONDS, Client, refusal
from tests.contract.refusals import LEASE_EXISTS, LEASE_NOT_FOUND, LEASE_TTL_TOO_LARGE
from tests.contract.requests import Delete, Put, delete_event

pytestmark = pytest.mark.every_front
UNKNOWN_ID = 404


async def test_grant_is_no_revision(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.grant_as(0, 600)

    assert answer.header.revision == base
    assert (answer.TTL, answer.error) == (600, "")
    assert await etcd.revision() == base


async def test_the_server_picks_a_different_positive_id_each_time(etcd: Client) -> None:
    ids = {(await etcd.grant_as(0, 600)).ID for _ in range(20)}

    assert len(ids) == 20
    assert all(0 < lease_id < 2**63 for lease_id in ids)


@pytest.mark.parametrize(
    "lease_id",
    [
        pytest.param(77, id="small"),
        pytest.param(-77, id="negative"),
        pytest.param(2**63 - 1, id="the largest"),
        pytest.param(-(2**63), id="the smallest"),
    ],
)
async def test_a_client_may_choose_the_id(etcd: Client, lease_id: int) -> None:
    granted = await etcd.grant_as(lease_id, 600)
    await etcd.put("a", lease=lease_id)
    keys = await etcd.lease_keys(lease_id)
    lease_of_key = (await etcd.range("a")).kvs[0].lease
    await etcd.revoke(lease_id)

    assert (lease_id, 600) == (granted.ID, granted.TTL)
    assert (keys, lease_of_key) == (["a"], lease_id)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        pytest.param(-5, 2, id="negative"),
        pytest.param(0, 2, id="none"),
        pytest.param(1, 2, id="below the minimum"),
        pytest.param(2, 2, id="the minimum"),
        pytest.param(3, 3, id="above"),
        pytest.param(9_000_000_000, 9_000_000_000, id="the maximum"),
    ],
)
async def test_a_short_ttl_is_raised(etcd: Client, asked: int, given: int) -> None:
    answer = await etcd.grant_as(0, asked)
    granted_ttl = (await etcd.time_to_live(answer.ID)).grantedTTL
    await etcd.revoke(answer.ID)

    assert (answer.TTL, granted_ttl) == (given, given)


async def test_too_long_a_ttl_is_refused(etcd: Client) -> None:
    assert await refusal(etcd.grant_as(0, 9_000_000_001)) == LEASE_TTL_TOO_LARGE


async def test_an_id_in_use_is_refused(etcd: Client) -> None:
    lease = await etcd.grant()

    assert await refusal(etcd.grant_as(lease, 600)) == LEASE_EXISTS
    assert (await etcd.time_to_live(lease)).grantedTTL == 600


async def test_an_id_is_free_again_after_its_revocation(etcd: Client) -> None:
    lease = await etcd.grant()
    await etcd.revoke(lease)

    assert (await etcd.grant_as(lease, 300)).TTL == 300


async def test_revoking_deletes_the_keys_in_one_revision(etcd: Client) -> None:
    lease = await etcd.grant()
    for name in ("c", "a", "b"):
        await etcd.put(name, lease=lease)
    await etcd.put("kept")
    async with etcd.watch() as watch:
        base = (await watch.create("a", "d")).header.revision
        answer = await etcd.revoke(lease)
        response = await watch.next()

    assert answer.header.revision == base + 1
    assert list(response.events) == [
        delete_event(etcd.key(name), base + 1) for name in ("a", "b", "c")
    ]
    assert etcd.names((await etcd.range("a", "z")).kvs) == ["kept"]


async def test_revocation_shows_the_keys_before_it(etcd: Client) -> None:
    lease = await etcd.grant()
    async with etcd.watch() as watch:
        base = (await watch.create("a", prev_kv=True)).header.revision
        await etcd.put("a", b"1", lease=lease)
        await etcd.revoke(lease)
        events = await watch.events(2)

    before = etcd.stored("a", b"1", create=base + 1, mod=base + 1, lease=lease)
    assert events[1] == delete_event(etcd.key("a"), base + 2, before)


async def test_revoking_without_keys_is_no_revision(etcd: Client) -> None:
    lease = await etcd.grant()
    base = await etcd.revision()

    answer = await etcd.revoke(lease)

    assert answer.header.revision == base
    assert await etcd.revision() == base


async def test_revoking_twice_is_refused(etcd: Client) -> None:
    lease = await etcd.grant()
    await etcd.revoke(lease)

    assert await refusal(etcd.revoke(lease)) == LEASE_NOT_FOUND


async def test_revoking_what_never_was_is_refused(etcd: Client) -> None:
    assert await refusal(etcd.revoke(UNKNOWN_ID)) == LEASE_NOT_FOUND


async def test_a_revoked_lease_cannot_be_used(etcd: Client) -> None:
    lease = await etcd.grant()
    await etcd.revoke(lease)

    assert await refusal(etcd.put("a", lease=lease)) == LEASE_NOT_FOUND


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, ["b"], id="no lease detaches"),
        pytest.param({"ignore_lease": True}, ["a", "b"], id="ignore_lease keeps"),
    ],
)
async def test_the_latest_put_decides(
    etcd: Client, fields: dict[str, Any], expected: list[str]
) -> None:
    lease = await etcd.grant()
    await etcd.put("a", lease=lease)
    await etcd.put("b", lease=lease)

    await etcd.put("a", b"again", **fields)

    assert await etcd.lease_keys(lease) == expected


async def test_a_put_with_another_lease_moves_the_key(etcd: Client) -> None:
    first, second = await etcd.grant(), await etcd.grant()
    await etcd.put("a", lease=first)

    await etcd.put("a", lease=second)

    assert (await etcd.lease_keys(first), await etcd.lease_keys(second)) == ([], ["a"])
    await etcd.revoke(first)
    assert (await etcd.range("a")).count == 1
    await etcd.revoke(second)
    assert (await etcd.range("a")).count == 0


async def test_a_key_deleted_and_made_again_is_not_attached(etcd: Client) -> None:
    lease = await etcd.grant()
    await etcd.put("a", lease=lease)
    await etcd.delete("a")
    await etcd.put("a")

    await etcd.revoke(lease)

    assert (await etcd.range("a")).count == 1


async def test_a_txn_attaches_and_detaches(etcd: Client) -> None:
    lease = await etcd.grant()
    await etcd.put("a", lease=lease)
    await etcd.put("b", lease=lease)

    await etcd.txn(success=[Delete("a"), Put("c", lease=lease), Put("b")])

    assert await etcd.lease_keys(lease) == ["c"]


async def test_history_keeps_its_own_lease_number(etcd: Client) -> None:
    lease = await etcd.grant()
    first = (await etcd.put("a", lease=lease)).header.revision
    await etcd.put("a")

    past = await etcd.range("a", revision=first)

    assert (past.kvs[0].lease, (await etcd.range("a")).kvs[0].lease) == (lease, 0)


async def test_time_to_live_counts_down_from_the_granted_ttl(etcd: Client) -> None:
    lease = await etcd.grant(600)

    answer = await etcd.time_to_live(lease)

    assert (answer.ID, answer.grantedTTL, list(answer.keys)) == (lease, 600, [])
    assert 590 <= answer.TTL < 600
    assert answer.header.revision == await etcd.revision()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [pytest.param(True, ["a", "b"], id="asked"), pytest.param(False, [], id="not asked")],
)
async def test_time_to_live_lists_keys_only_when_asked(
    etcd: Client, asked: bool, expected: list[str]
) -> None:
    lease = await etcd.grant()
    await etcd.put("b", lease=lease)
    await etcd.put("a", lease=lease)

    answer = await etcd.time_to_live(lease, keys=asked)

    assert sorted(answer.keys) == [etcd.key(name) for name in expected]


async def test_time_to_live_of_an_unknown_lease_is_minus_1(etcd: Client) -> None:
    answer = await etcd.time_to_live(UNKNOWN_ID, keys=True)

    assert answer == pb.LeaseTimeToLiveResponse(header=answer.header, ID=UNKNOWN_ID, TTL=-1)


async def test_keep_alive_answers_each_request_in_order(etcd: Client) -> None:
    first, second = await etcd.grant(600), await etcd.grant(300)
    async with etcd.keep_alive() as keep_alive:
        for lease_id in (first, second, first):
            await keep_alive.send(lease_id)
        answers = [await keep_alive.next() for _ in range(3)]

    assert [(answer.ID, answer.TTL) for answer in answers] == [
        (first, 600),
        (second, 300),
        (first, 600),
    ]


async def test_keep_alive_of_an_unknown_lease_is_0_and_the_stream_goes_on(etcd: Client) -> None:
    lease = await etcd.grant(600)
    async with etcd.keep_alive() as keep_alive:
        unknown = await keep_alive.renew(UNKNOWN_ID)
        known = await keep_alive.renew(lease)

    assert unknown == pb.LeaseKeepAliveResponse(header=unknown.header, ID=UNKNOWN_ID)
    assert known.TTL == 600


async def test_keep_alives_sent_together_are_answered_one_by_one_in_order(etcd: Client) -> None:
    lease = await etcd.grant(600)
    asked = [lease, UNKNOWN_ID, lease + 1] * 200
    async with etcd.keep_alive() as keep_alive:
        for each in asked:
            await keep_alive.send(each)
        answers = [await keep_alive.next() for _ in asked]

    assert [(answer.ID, answer.TTL) for answer in answers] == [
        (each, 600 if each == lease else 0) for each in asked
    ]


async def test_a_stream_may_be_compressed(etcd: Client) -> None:
    lease = await etcd.grant(600)
    call = etcd.lease.LeaseKeepAlive(timeout=ANSWER_SECONDS, compression=grpc.Compression.Gzip)
    await call.write(pb.LeaseKeepAliveRequest(ID=lease))

    assert (await call.read()).TTL == 600


async def test_keep_alive_carries_the_revision(etcd: Client) -> None:
    lease = await etcd.grant()
    revision = (await etcd.put("a")).header.revision
    async with etcd.keep_alive() as keep_alive:
        answer = await keep_alive.renew(lease)

    assert answer.header.revision == revision
    assert await etcd.revision() == revision


async def test_half_closing_ends_keep_alive_with_ok(etcd: Client) -> None:
    async with etcd.keep_alive() as keep_alive:
        await keep_alive.call.done_writing()
        code = await keep_alive.call.code()

    assert code is grpc.StatusCode.OK


@pytest.mark.own_server
async def test_leases_lists_every_id_the_next_to_end_first(etcd: Client) -> None:
    for lease_id, ttl in ((11, 300), (-12, 100), (13, 200), (14, 250)):
        await etcd.grant_as(lease_id, ttl)
    await etcd.revoke(13)

    answer = await etcd.send(etcd.lease.LeaseLeases, pb.LeaseLeasesRequest())

    assert [status.ID for status in answer.leases] == [-12, 14, 11]
    assert answer.header.revision == 1


async def test_a_lease_with_many_keys(etcd: Client) -> None:
    lease = await etcd.grant()
    await asyncio.gather(*(etcd.put(f"k{number:03}", lease=lease) for number in range(300)))
    base = await etcd.revision()

    assert len(await etcd.lease_keys(lease)) == 300
    assert (await etcd.revoke(lease)).header.revision == base + 1
    assert (await etcd.range("k", "l", count_only=True)).count == 0
