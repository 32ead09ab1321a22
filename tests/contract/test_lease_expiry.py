"""Lease: what happens when nobody renews.

Leases live at least 2 s, so these tests await real time.
"""

import asyncio
import time

from tests.contract.client import Client, refusal
from tests.contract.refusals import LEASE_NOT_FOUND
from tests.contract.requests import delete_event

SECONDS = 4  # a busy machine has to do some calls within half of it


async def test_expiry_deletes_the_keys_in_one_revision_and_the_lease_is_unknown(
    etcd: Client,
) -> None:
    async with etcd.watch() as watch, etcd.keep_alive() as keep_alive:
        started = time.monotonic()
        lease = await etcd.grant(SECONDS)
        for name in ("b", "a"):
            await etcd.put(name, lease=lease)
        base = (await watch.create("a", "c")).header.revision
        response = await watch.next()
        elapsed = time.monotonic() - started
        renewed = await keep_alive.renew(lease)

    assert list(response.events) == [
        delete_event(etcd.key("a"), base + 1),
        delete_event(etcd.key("b"), base + 1),
    ]
    assert response.header.revision == base + 1
    assert elapsed >= SECONDS
    assert (lease, 0) == (renewed.ID, renewed.TTL)
    assert (await etcd.time_to_live(lease)).TTL == -1
    assert await refusal(etcd.put("a", lease=lease)) == LEASE_NOT_FOUND
    assert await refusal(etcd.revoke(lease)) == LEASE_NOT_FOUND


async def test_each_lease_expires_alone_and_only_with_the_keys_it_still_has(
    etcd: Client,
) -> None:
    async with etcd.watch() as watch:
        long = await etcd.grant(600)
        empty = await etcd.grant(SECONDS)
        for number in range(3):
            await etcd.put(f"k{number}", lease=await etcd.grant(SECONDS))
        moving = await etcd.grant(SECONDS)
        for name in ("moved", "detached"):
            await etcd.put(name, lease=moving)
        await etcd.put("moved", lease=long)
        await etcd.put("detached")
        base = (await watch.create("a", "z")).header.revision
        events = await watch.events(3)

    assert [event.kv.mod_revision for event in events] == [base + 1, base + 2, base + 3]
    assert sorted(etcd.names(event.kv for event in events)) == ["k0", "k1", "k2"]
    assert etcd.names((await etcd.range("a", "z")).kvs) == ["detached", "moved"]
    assert [(await etcd.time_to_live(lease)).TTL for lease in (empty, moving)] == [-1, -1]
    assert await etcd.revision() == base + 3


async def test_renewal_keeps_the_keys(etcd: Client) -> None:
    async with etcd.watch() as watch, etcd.keep_alive() as keep_alive:
        await watch.create("a", "c")
        kept, left = await etcd.grant(SECONDS), await etcd.grant(SECONDS)
        await etcd.put("a", lease=kept)
        await etcd.put("b", lease=left)
        await watch.events(2)
        await asyncio.sleep(SECONDS / 2)  # half of the lease's own time
        await keep_alive.renew(kept)
        first = (await watch.events(1))[0]
        kept_still = await etcd.range("a")

    assert first.kv.key == etcd.key("b")
    assert kept_still.count == 1
    assert (await etcd.revoke(kept)).header.revision == first.kv.mod_revision + 1
