"""v3lockpb.Lock: who holds it, who waits, and what ends a wait."""

import asyncio
from typing import Any

import pytest

from proto.etcd import lock_pb2 as lock
from tests.contract.client import Client, Refusal, refusal
from tests.contract.targets import Server
from tests.contract.waiting import deleted_keys, waiters

pytestmark = pytest.mark.every_front


def ask(etcd: Client, name: str, lease: int = 0) -> Any:
    """Ask for a lock; the call is pending."""
    return etcd.lock.Lock(lock.LockRequest(name=etcd.key(name), lease=lease), timeout=60)


async def unlock(etcd: Client, key: bytes) -> lock.UnlockResponse:
    """Give a lock up."""
    answer: lock.UnlockResponse = await etcd.send(etcd.lock.Unlock, lock.UnlockRequest(key=key))
    return answer


async def test_a_free_lock_is_held_by_a_key_named_after_the_lease(etcd: Client) -> None:
    lease = await etcd.grant(100)
    before = await etcd.revision()

    held = await ask(etcd, "l", lease)

    assert held.key == etcd.key("l") + f"/{lease:x}".encode()
    assert held.header.revision == before + 1
    assert held.header.cluster_id != 0 != held.header.member_id
    (kv,) = (await etcd.range(held.key)).kvs
    assert (kv.value, kv.lease, kv.create_revision) == (b"", lease, before + 1)


async def test_a_negative_lease_is_written_with_a_sign(etcd: Client) -> None:
    await etcd.grant_as(-0x5A5, 100)

    assert (await ask(etcd, "l", -0x5A5)).key == etcd.key("l") + b"/-5a5"
    await etcd.revoke(-0x5A5)


@pytest.mark.own_server
async def test_the_name_may_be_empty(etcd: Client) -> None:
    lease = await etcd.grant(100)

    assert (await ask(etcd, "", lease)).key == f"/{lease:x}".encode()


async def test_the_same_lease_holds_it_already(etcd: Client) -> None:
    lease = await etcd.grant(100)
    first = await ask(etcd, "l", lease)
    await etcd.put("else")

    second = await ask(etcd, "l", lease)

    assert second.key == first.key
    assert second.header.revision == first.header.revision + 1


async def test_without_a_lease_the_server_grants_one_of_a_minute(etcd: Client) -> None:
    held = await ask(etcd, "l")

    (kv,) = (await etcd.range(held.key)).kvs
    assert (await etcd.time_to_live(kv.lease)).grantedTTL == 60
    assert held.key == etcd.key("l") + f"/{kv.lease:x}".encode()


async def test_waiters_get_it_in_the_order_in_which_they_came(etcd: Client) -> None:
    leases = [await etcd.grant(100) for _ in range(4)]
    order: list[int] = []
    held = await ask(etcd, "l", leases[0])

    async def wait(lease: int) -> None:
        got = await ask(etcd, "l", lease)
        order.append(lease)
        await unlock(etcd, got.key)

    tasks = []
    for count, lease in enumerate((leases[2], leases[1], leases[3]), 2):
        tasks.append(asyncio.create_task(wait(lease)))
        await waiters(etcd, "l/", count)
    assert order == []
    await unlock(etcd, held.key)
    await asyncio.gather(*tasks)

    assert order == [leases[2], leases[1], leases[3]]


async def test_a_waiter_is_answered_with_the_revision_at_which_it_got_it(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    held = await ask(etcd, "l", first)
    waiting = ask(etcd, "l", second)
    await waiters(etcd, "l/", 2)

    released = (await unlock(etcd, held.key)).header.revision

    assert (await waiting).header.revision >= released


async def test_the_end_of_the_holders_lease_gives_the_lock_on(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    await ask(etcd, "l", first)
    waiting = ask(etcd, "l", second)
    await waiters(etcd, "l/", 2)

    await etcd.revoke(first)

    assert (await waiting).key.endswith(f"/{second:x}".encode())


async def test_a_waiter_whose_lease_ends_is_told_when_its_turn_comes(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    held = await ask(etcd, "l", first)
    waiting = ask(etcd, "l", second)
    await waiters(etcd, "l/", 2)

    await etcd.revoke(second)
    await unlock(etcd, held.key)

    assert await refusal(waiting) == Refusal("UNKNOWN", "mutex: session is expired")


async def test_a_cancelled_waiter_leaves_no_key(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    held = await ask(etcd, "l", first)
    waiting = ask(etcd, "l", second)
    await waiters(etcd, "l/", 2)

    async with deleted_keys(etcd, "l/") as deleted:
        waiting.cancel()
        assert await deleted.get() == etcd.key("l") + f"/{second:x}".encode()
    assert (await etcd.range(held.key)).count == 1


async def test_a_waiter_past_its_deadline_leaves_no_key(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    await ask(etcd, "l", first)

    async with deleted_keys(etcd, "l/") as deleted:
        request = lock.LockRequest(name=etcd.key("l"), lease=second)
        late = await refusal(etcd.lock.Lock(request, timeout=0.5))
        assert await deleted.get() == etcd.key("l") + f"/{second:x}".encode()
    # The client's clock says the first; the server's the second, or resets the stream: the third.
    assert late.code in ("DEADLINE_EXCEEDED", "UNKNOWN", "CANCELLED")


async def test_waiters_after_one_that_went_away_still_get_it(etcd: Client) -> None:
    leases = [await etcd.grant(100) for _ in range(3)]
    held = await ask(etcd, "l", leases[0])
    middle = ask(etcd, "l", leases[1])
    await waiters(etcd, "l/", 2)
    last = ask(etcd, "l", leases[2])
    await waiters(etcd, "l/", 3)

    middle.cancel()
    await waiters(etcd, "l/", 2)
    await unlock(etcd, held.key)

    assert (await last).key.endswith(f"/{leases[2]:x}".encode())


@pytest.mark.ours_only("a wait of etcd's that begins in the compacted past fails")
async def test_compaction_does_not_disturb_waiters(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    held = await ask(etcd, "l", first)
    waiting = ask(etcd, "l", second)
    await waiters(etcd, "l/", 2)
    await etcd.put("else")

    await etcd.compact(await etcd.revision())
    await unlock(etcd, held.key)

    assert (await waiting).key.endswith(f"/{second:x}".encode())


@pytest.mark.own_server
@pytest.mark.ours_only("etcd's waiter may lose its place, depending on what ends first")
async def test_a_waiter_keeps_its_place_when_the_server_stops(etcd: Client, server: Server) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    held = await ask(etcd, "l", first)
    waiting = ask(etcd, "l", second)
    await waiters(etcd, "l/", 2)

    await asyncio.to_thread(server.restart)

    assert (await refusal(waiting)).code == "UNAVAILABLE"
    async with Client(server.address) as again:
        await waiters(again, "l/", 2)
        waiting = ask(again, "l", second)
        await unlock(again, held.key)
        assert (await waiting).key == b"l/%x" % second


async def test_an_unknown_lease(etcd: Client) -> None:
    refused = await refusal(ask(etcd, "l", 987_654_321))

    assert refused == Refusal("UNKNOWN", "etcdserver: requested lease not found")


async def test_unlocking_an_unknown_key_is_no_error(etcd: Client) -> None:
    revision = await etcd.revision()

    assert (await unlock(etcd, etcd.key("nothing"))).header.revision == revision


async def test_unlocking_no_key(etcd: Client) -> None:
    refused = await refusal(unlock(etcd, b""))

    assert refused == Refusal("UNKNOWN", "etcdserver: key is not provided")
