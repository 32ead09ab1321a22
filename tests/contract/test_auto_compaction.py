"""--auto-compaction-mode and -retention: old revisions go by themselves."""

import asyncio

import pytest

from tests.contract.client import Client, Refusal, refusal

COMPACTED = Refusal("OUT_OF_RANGE", "etcdserver: mvcc: required revision has been compacted")


@pytest.mark.own_server("--auto-compaction-mode=periodic", "--auto-compaction-retention=2s")
async def test_periodic_mode_gives_up_what_is_older(etcd: Client) -> None:
    first = (await etcd.put("a", b"1")).header.revision
    second = (await etcd.put("a", b"2")).header.revision
    for _ in range(300):
        if not await _readable(etcd, first):
            break
        await asyncio.sleep(0.2)
    assert (await etcd.range("a", revision=second)).kvs[0].value == b"2"
    assert await refusal(etcd.range("a", revision=first)) == COMPACTED


@pytest.mark.own_server
async def test_it_is_off_by_default(etcd: Client) -> None:
    first = (await etcd.put("a", b"1")).header.revision
    await etcd.put("a", b"2")
    await asyncio.sleep(1)
    assert await _readable(etcd, first)


async def _readable(etcd: Client, revision: int) -> bool:
    (answer,) = await asyncio.gather(etcd.range("a", revision=revision), return_exceptions=True)
    return not isinstance(answer, BaseException)
