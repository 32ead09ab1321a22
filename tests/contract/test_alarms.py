"""Maintenance/Alarm: raising, listing, disarming, and what each alarm refuses."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, Refusal, refusal
from tests.contract.refusals import NO_SPACE
from tests.contract.requests import Delete, If, Put, Range
from tests.contract.targets import Server

CORRUPT = Refusal("DATA_LOSS", "etcdserver: corrupt cluster")
MEMBER = 12_345


async def alarm(etcd: Client, action: int, kind: int = pb.NONE, member: int = 0) -> Any:
    """List, raise or disarm."""
    request = pb.AlarmRequest(memberID=member)
    request.action, request.alarm = action, kind  # type: ignore[assignment]
    return await etcd.send(etcd.maintenance.Alarm, request)


async def raised(etcd: Client, kind: int = pb.NONE) -> list[tuple[int, int]]:
    """Return (member, alarm) of what is active, of one kind or of all."""
    answer = await alarm(etcd, pb.AlarmRequest.GET, kind)
    return sorted((found.memberID, int(found.alarm)) for found in answer.alarms)


async def raise_alarm(etcd: Client, kind: int, member: int = MEMBER) -> Any:
    """Raise one."""
    return await alarm(etcd, pb.AlarmRequest.ACTIVATE, kind, member)


async def disarm(etcd: Client, kind: int, member: int = MEMBER) -> Any:
    """Disarm one."""
    return await alarm(etcd, pb.AlarmRequest.DEACTIVATE, kind, member)


@pytest.fixture(autouse=True)
async def _disarmed(request: pytest.FixtureRequest, etcd: Client) -> AsyncIterator[None]:
    """Leave no alarm to the tests that come after on the same server."""
    yield
    if request.node.get_closest_marker("own_server") is None:
        for member, kind in await raised(etcd):
            await disarm(etcd, kind, member)


async def test_there_is_none_at_first(etcd: Client) -> None:
    revision = (await etcd.put("a")).header.revision

    answer = await alarm(etcd, pb.AlarmRequest.GET)

    assert list(answer.alarms) == []
    assert answer.header.revision == revision


async def test_raised_alarms_are_listed_and_disarmed_one_by_one(etcd: Client) -> None:
    answer = await raise_alarm(etcd, pb.NOSPACE)
    await raise_alarm(etcd, pb.NOSPACE, MEMBER + 1)
    await raise_alarm(etcd, pb.CORRUPT)

    assert list(answer.alarms) == [pb.AlarmMember(memberID=MEMBER, alarm=pb.NOSPACE)]
    assert await raised(etcd) == [(MEMBER, 1), (MEMBER, 2), (MEMBER + 1, 1)]
    assert await raised(etcd, pb.CORRUPT) == [(MEMBER, 2)]
    gone = await disarm(etcd, pb.NOSPACE)
    assert list(gone.alarms) == [pb.AlarmMember(memberID=MEMBER, alarm=pb.NOSPACE)]
    assert await raised(etcd) == [(MEMBER, 2), (MEMBER + 1, 1)]
    again = await disarm(etcd, pb.NOSPACE)
    assert list(again.alarms) == []


async def test_the_listing_is_of_all_members(etcd: Client) -> None:
    await raise_alarm(etcd, pb.NOSPACE)

    answer = await alarm(etcd, pb.AlarmRequest.GET, pb.NONE, MEMBER + 1)

    assert [found.memberID for found in answer.alarms] == [MEMBER]


async def test_no_alarm_is_raised_by_none(etcd: Client) -> None:
    answer = await raise_alarm(etcd, pb.NONE)

    assert list(answer.alarms) == []
    assert await raised(etcd) == []


async def test_a_member_id_may_be_as_large_as_there_is(etcd: Client) -> None:
    largest = 2**64 - 1
    await raise_alarm(etcd, pb.NOSPACE, largest)

    assert await raised(etcd) == [(largest, 1)]
    assert list((await etcd.status()).errors) == [f"memberID:{largest} alarm:NOSPACE "]


async def test_alarms_change_no_revision_and_show_in_the_status(etcd: Client) -> None:
    revision = await etcd.revision()
    await raise_alarm(etcd, pb.CORRUPT)

    status = await etcd.status()

    assert list(status.errors) == [f"memberID:{MEMBER} alarm:CORRUPT "]
    assert status.header.revision == revision


@pytest.mark.own_server
async def test_alarms_outlive_a_restart(etcd: Client, server: Server) -> None:
    await raise_alarm(etcd, pb.NOSPACE)

    server.restart()

    async with Client(server.address) as again:
        assert await raised(again) == [(MEMBER, 1)]
        assert await refusal(again.put(b"a")) == NO_SPACE


async def test_what_nospace_refuses(etcd: Client) -> None:
    lease = (await etcd.grant_as(0, 100)).ID
    revision = (await etcd.put("a", lease=lease)).header.revision
    await raise_alarm(etcd, pb.NOSPACE)
    no = [If("a", "version", "=", 99)]

    assert await refusal(etcd.put("a")) == NO_SPACE
    assert await refusal(etcd.grant_as(0, 100)) == NO_SPACE
    assert await refusal(etcd.txn((), [Put("b")])) == NO_SPACE
    assert await refusal(etcd.txn(no, [Put("b")], [Range("a")])) == NO_SPACE
    assert (await etcd.range("a")).count == 1
    assert (await etcd.txn(no, [Delete("x")], [Delete("a")])).header.revision == revision + 1
    await etcd.compact(revision)
    async with etcd.keep_alive() as stream:
        assert (await stream.renew(lease)).TTL == 100
    await etcd.revoke(lease)
    await etcd.delete("a")
    await disarm(etcd, pb.NOSPACE)
    await etcd.put("a")


@pytest.mark.every_front
async def test_what_corrupt_refuses(etcd: Client) -> None:
    lease = (await etcd.grant_as(0, 100)).ID
    await etcd.put("a", lease=lease)
    await raise_alarm(etcd, pb.CORRUPT)

    assert await refusal(etcd.put("a")) == CORRUPT
    assert await refusal(etcd.delete("a")) == CORRUPT
    assert await refusal(etcd.txn((), [Delete("a")])) == CORRUPT
    assert await refusal(etcd.compact(await etcd.revision())) == CORRUPT
    assert await refusal(etcd.grant_as(0, 100)) == CORRUPT
    assert await refusal(etcd.revoke(lease)) == CORRUPT
    assert (await etcd.range("a")).count == 1
    assert (await etcd.txn((), [Range("a")])).succeeded
    async with etcd.keep_alive() as stream:
        assert (await stream.renew(lease)).TTL == 100
    await disarm(etcd, pb.CORRUPT)
    await etcd.put("a")


@pytest.mark.etcd_since("3.6")
@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["corrupt last", "nospace last"])
async def test_with_both_corrupt_speaks(etcd: Client, order: tuple[int, int]) -> None:
    for kind in order:
        await raise_alarm(etcd, kind)

    assert await refusal(etcd.put("a")) == CORRUPT


@pytest.mark.ours_only("it ends a real etcd")
@pytest.mark.parametrize(("action", "kind"), [(7, 1), (1, 9), (0, 9), (2, 9)])
async def test_numbers_that_etcd_does_not_know(etcd: Client, action: int, kind: int) -> None:
    assert (await refusal(alarm(etcd, action, kind, MEMBER))).code == "INVALID_ARGUMENT"
    assert await raised(etcd) == []
