"""A disk that becomes full: puts are refused in time, all else goes on, nothing is lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import grpc
import pytest

from datastore.tools.check import check
from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, Refusal, refusal
from tests.support.datastore import Datastore
from tests.support.small_disk import MIB, SmallDisk

NO_SPACE = Refusal("RESOURCE_EXHAUSTED", "etcdserver: mvcc: database space exceeded")
DISK_MIB = 96
VALUE = b"x" * 200_000
SECONDS = 60.0


@dataclass
class Stage:
    """A server on a small disk, and a client of it."""

    disk: SmallDisk
    server: Datastore
    etcd: Client

    @property
    def ballast(self) -> bool:
        return (self.disk.path / "store.db.ballast").exists()

    def findings(self) -> list[str]:
        return [str(finding) for finding in check(self.server.endpoint_url)]


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    with SmallDisk(DISK_MIB) as disk:
        yield disk


@pytest.fixture
async def stage(disk: SmallDisk) -> AsyncIterator[Stage]:
    with Datastore(f"sqlite:///{disk.path}/store.db") as server:
        async with Client(server.address) as etcd:
            yield Stage(disk, server, etcd)


async def alarms(etcd: Client) -> list[tuple[int, int]]:
    answer = await etcd.send(etcd.maintenance.Alarm, pb.AlarmRequest())
    return [(alarm.memberID, alarm.alarm) for alarm in answer.alarms]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + SECONDS
    while not await holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def alarmed(etcd: Client) -> bool:
    return bool(await alarms(etcd))


async def calm(etcd: Client) -> bool:
    return not await alarms(etcd)


async def fill(etcd: Client) -> list[str]:
    """Put large values until the alarm is raised; return the names of those that were taken.

    It need not come with the first refusal: that may be for a log which is then emptied.
    """
    names: list[str] = []
    deadline = time.monotonic() + SECONDS
    while not await alarmed(etcd):
        assert time.monotonic() < deadline
        names += await fill_once(etcd, len(names))
    return names


async def fill_once(etcd: Client, known: int) -> list[str]:
    """Put large values, several at a time, until one is refused; return the names of the others."""
    names: list[str] = []
    refused: list[object] = []

    async def put(number: int) -> None:
        while not refused:
            name = f"{number:02}/{known + len(names):04}"
            try:
                await etcd.put(name, VALUE)
            except grpc.aio.AioRpcError as error:
                refused.append((error.code().name, error.details()))
            else:
                names.append(name)

    await asyncio.gather(*(put(number) for number in range(8)))
    assert set(refused) == {(NO_SPACE.code, NO_SPACE.text)}
    return names


async def test_puts_are_refused_before_it_is_full_and_the_rest_goes_on(stage: Stage) -> None:
    etcd = stage.etcd
    member = (await etcd.status()).header.member_id
    lease = await etcd.grant()
    await etcd.put("leased", lease=lease)
    assert stage.ballast

    names = await fill(etcd)

    assert stage.disk.free > 4 * MIB
    assert not stage.ballast
    assert await alarms(etcd) == [(member, pb.NOSPACE)]
    assert await refusal(etcd.put("small")) == NO_SPACE
    assert await refusal(etcd.grant()) == NO_SPACE
    everything = await etcd.range(b"\0", b"\0", keys_only=True)
    assert sorted(etcd.names(everything.kvs)) == sorted([*names, "leased"])
    kept = names[: len(names) // 4]
    for name in names[len(kept) :]:
        await etcd.delete(name)
    await etcd.revoke(lease)
    await etcd.compact(await etcd.revision())
    await etcd.send(etcd.maintenance.Defragment, pb.DefragmentRequest())
    await until(lambda: calm(etcd))
    assert stage.ballast
    await etcd.put("again", VALUE)
    everything = await etcd.range(b"\0", b"\0")
    assert sorted(etcd.names(everything.kvs)) == sorted([*kept, "again"])
    assert {kv.value for kv in everything.kvs} == {VALUE}
    assert stage.findings() == []


async def test_somebody_else_fills_the_disk_and_frees_it(stage: Stage) -> None:
    """The alarm comes without a write to ask for it, and goes when the space is back."""
    await stage.etcd.put("before")

    filler = stage.disk.fill(leave=MIB)
    await until(lambda: alarmed(stage.etcd))
    refused = await refusal(stage.etcd.put("refused"))
    await stage.etcd.delete("before")
    filler.unlink()
    await until(lambda: calm(stage.etcd))
    await stage.etcd.put("after")

    assert refused == NO_SPACE
    assert stage.ballast
    assert etcd_names(await stage.etcd.range(b"\0", b"\0")) == [b"after"]


async def test_an_alarm_of_a_client_is_not_the_disks_to_end(stage: Stage) -> None:
    member = (await stage.etcd.status()).header.member_id
    raising = pb.AlarmRequest(
        action=pb.AlarmRequest.ACTIVATE, memberID=member, alarm=pb.AlarmType.NOSPACE
    )
    await stage.etcd.send(stage.etcd.maintenance.Alarm, raising)

    filler = stage.disk.fill(leave=MIB)
    await until(lambda: told(stage, "disk full"))
    filler.unlink()
    await until(lambda: told(stage, "disk has space again"))
    await stage.etcd.delete("a write after the disk has told")

    assert await alarms(stage.etcd) == [(member, pb.NOSPACE)]


async def test_not_a_byte_is_left_and_the_server_is_killed(stage: Stage) -> None:
    """What cannot be written is an error, never a success; a start without space serves reads."""
    for number in range(20):
        await stage.etcd.put(f"k{number}", VALUE)
    stage.disk.fill(leave=0)
    await until(lambda: told(stage, "disk full"))
    filler = stage.disk.fill(leave=0)
    deleted = [name for name in map("k{}".format, range(20)) if await try_delete(stage.etcd, name)]
    refused = await refusal(stage.etcd.put("refused", VALUE))
    stage.server.kill()
    filler.unlink()
    await asyncio.to_thread(stage.server.start)
    async with Client(stage.server.address) as again:
        await until(lambda: calm(again))
        found = etcd_names(await again.range(b"\0", b"\0"))
        await again.put("after", VALUE)

    assert refused == NO_SPACE
    expected = [f"k{number}" for number in range(20) if f"k{number}" not in deleted]
    assert found == sorted(name.encode() for name in expected)
    assert stage.findings() == []


async def test_it_starts_on_a_disk_without_space(stage: Stage) -> None:
    await stage.etcd.put("k", VALUE)
    await stage.etcd.put("other", VALUE)
    stage.server.kill()
    stage.disk.fill(leave=MIB)

    await asyncio.to_thread(stage.server.start)

    async with Client(stage.server.address) as again:
        await until(lambda: alarmed(again))
        assert await refusal(again.put("refused")) == NO_SPACE
        await again.delete("other")
        assert etcd_names(await again.range(b"\0", b"\0")) == [b"k"]


async def try_delete(etcd: Client, name: str) -> bool:
    """Delete a key; an error has to be one that says why."""
    try:
        await etcd.delete(name)
    except grpc.aio.AioRpcError as error:
        assert (error.code().name, error.details()) == (NO_SPACE.code, NO_SPACE.text)  # noqa: PT017
        return False
    return True


async def told(stage: Stage, words: str) -> bool:
    return words in stage.server.log.read_text()


def etcd_names(answer: pb.RangeResponse) -> list[bytes]:
    return [kv.key for kv in answer.kvs]
