"""v3electionpb.Election: candidates, leaders, and those who watch them."""

import asyncio
from typing import Any

import pytest

from proto.etcd import election_pb2 as election
from tests.contract.client import Client, Refusal, refusal
from tests.contract.waiting import deleted_keys, waiters

pytestmark = pytest.mark.every_front
NOT_LEADER = Refusal("UNKNOWN", "election: not leader")
NO_LEADER = Refusal("UNKNOWN", "election: no leader")
MISSING = Refusal("UNKNOWN", '"leader" field must be provided')
SECONDS = 60.0


def campaign(etcd: Client, name: str, value: bytes, lease: int = 0) -> Any:
    """Stand for election; the call is pending."""
    request = election.CampaignRequest(name=etcd.key(name), lease=lease, value=value)
    return etcd.election.Campaign(request, timeout=60)


async def proclaim(etcd: Client, leader: election.LeaderKey, value: bytes) -> Any:
    """Announce a value."""
    request = election.ProclaimRequest(leader=leader, value=value)
    return await etcd.send(etcd.election.Proclaim, request)


async def resign(etcd: Client, leader: election.LeaderKey) -> Any:
    """Give the leadership up."""
    return await etcd.send(etcd.election.Resign, election.ResignRequest(leader=leader))


async def leader_of(etcd: Client, name: str) -> election.LeaderResponse:
    """Ask who leads."""
    request = election.LeaderRequest(name=etcd.key(name))
    answer: election.LeaderResponse = await etcd.send(etcd.election.Leader, request)
    return answer


async def test_the_first_candidate_leads(etcd: Client) -> None:
    lease = await etcd.grant(100)
    before = await etcd.revision()

    won = await campaign(etcd, "e", b"me", lease)

    key = etcd.key("e") + f"/{lease:x}".encode()
    assert won.leader == election.LeaderKey(
        name=etcd.key("e"), key=key, rev=before + 1, lease=lease
    )
    assert won.header.revision == before + 1
    assert won.header.cluster_id != 0 != won.header.member_id
    assert (await etcd.range(key)).kvs == [
        etcd.stored(key, b"me", create=before + 1, mod=before + 1, lease=lease)
    ]


async def test_without_a_lease_the_server_grants_one_of_a_minute(etcd: Client) -> None:
    won = await campaign(etcd, "e", b"me")

    assert (await etcd.time_to_live(won.leader.lease)).grantedTTL == 60


async def test_the_same_candidate_with_the_same_value_changes_nothing(etcd: Client) -> None:
    lease = await etcd.grant(100)
    won = await campaign(etcd, "e", b"me", lease)
    await etcd.put("else")

    again = await campaign(etcd, "e", b"me", lease)

    assert again.leader == won.leader
    assert again.header.revision == won.header.revision + 1 == await etcd.revision()


async def test_the_same_candidate_with_another_value_announces_it(etcd: Client) -> None:
    lease = await etcd.grant(100)
    won = await campaign(etcd, "e", b"me", lease)

    again = await campaign(etcd, "e", b"still me", lease)

    assert again.leader == won.leader
    assert again.header.revision == won.header.revision  # of the look, before the put
    (kv,) = (await etcd.range(won.leader.key)).kvs
    assert (kv.value, kv.version, kv.lease) == (b"still me", 2, lease)


async def test_candidates_lead_in_the_order_in_which_they_came(etcd: Client) -> None:
    leases = [await etcd.grant(100) for _ in range(3)]
    order = []
    won = await campaign(etcd, "e", b"", leases[0])

    async def stand(lease: int) -> None:
        leader = (await campaign(etcd, "e", b"", lease)).leader
        order.append(lease)
        await resign(etcd, leader)

    tasks = []
    for count, lease in enumerate((leases[2], leases[1]), 2):
        tasks.append(asyncio.create_task(stand(lease)))
        await waiters(etcd, "e/", count)
    await resign(etcd, won.leader)
    await asyncio.gather(*tasks)

    assert order == [leases[2], leases[1]]


async def test_a_waiting_candidate_is_answered_with_its_own_entry(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    won = await campaign(etcd, "e", b"", first)
    waiting = campaign(etcd, "e", b"", second)
    await waiters(etcd, "e/", 2)
    entered = await etcd.revision()
    await etcd.put("else")

    await resign(etcd, won.leader)
    next_won = await waiting

    assert next_won.header.revision == next_won.leader.rev == entered


async def test_a_candidate_whose_lease_ends_is_not_told(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    won = await campaign(etcd, "e", b"", first)
    waiting = campaign(etcd, "e", b"", second)
    await waiters(etcd, "e/", 2)
    await etcd.revoke(second)

    await resign(etcd, won.leader)
    leader = (await waiting).leader

    assert await refusal(proclaim(etcd, leader, b"me")) == NOT_LEADER
    assert await refusal(leader_of(etcd, "e")) == NO_LEADER


async def test_the_end_of_the_leaders_lease_lets_the_next_lead(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    await campaign(etcd, "e", b"", first)
    waiting = campaign(etcd, "e", b"", second)
    await waiters(etcd, "e/", 2)

    await etcd.revoke(first)

    assert (await waiting).leader.lease == second


async def test_a_cancelled_candidate_leaves_no_key(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    await campaign(etcd, "e", b"", first)
    waiting = campaign(etcd, "e", b"", second)
    await waiters(etcd, "e/", 2)

    async with deleted_keys(etcd, "e/") as deleted:
        waiting.cancel()
        assert await deleted.get() == etcd.key("e") + f"/{second:x}".encode()
    assert (await leader_of(etcd, "e")).kv.lease == first


async def test_an_unknown_lease(etcd: Client) -> None:
    refused = await refusal(campaign(etcd, "e", b"", 987_654_321))

    assert refused == Refusal("UNKNOWN", "etcdserver: requested lease not found")


async def test_proclaiming_changes_the_value(etcd: Client) -> None:
    leader = (await campaign(etcd, "e", b"1", await etcd.grant(100))).leader

    answer = await proclaim(etcd, leader, b"2")

    assert answer.header.revision == leader.rev + 1
    (kv,) = (await etcd.range(leader.key)).kvs
    assert (kv.value, kv.mod_revision, kv.lease) == (b"2", leader.rev + 1, leader.lease)


async def test_proclaiming_without_a_lease_attaches_a_new_one(etcd: Client) -> None:
    leader = (await campaign(etcd, "e", b"1", await etcd.grant(100))).leader
    leader.lease = 0

    await proclaim(etcd, leader, b"2")

    (kv,) = (await etcd.range(leader.key)).kvs
    assert (await etcd.time_to_live(kv.lease)).grantedTTL == 60


async def test_only_the_leader_proclaims(etcd: Client) -> None:
    leader = (await campaign(etcd, "e", b"1", await etcd.grant(100))).leader
    leader.rev += 1

    assert await refusal(proclaim(etcd, leader, b"2")) == NOT_LEADER
    (kv,) = (await etcd.range(leader.key)).kvs
    assert kv.value == b"1"


async def test_resigning_deletes_the_key(etcd: Client) -> None:
    leader = (await campaign(etcd, "e", b"1", await etcd.grant(100))).leader

    answer = await resign(etcd, leader)

    assert answer.header.revision == leader.rev + 1
    assert (await etcd.range(leader.key)).count == 0


async def test_resigning_without_leading_is_no_error(etcd: Client) -> None:
    leader = (await campaign(etcd, "e", b"1", await etcd.grant(100))).leader
    leader.rev += 1

    answer = await resign(etcd, leader)

    assert answer.header.revision == leader.rev - 1
    assert (await etcd.range(leader.key)).count == 1


async def test_the_leader_is_the_oldest_candidate(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    won = await campaign(etcd, "e", b"old", first)
    waiting = campaign(etcd, "e", b"young", second)
    await waiters(etcd, "e/", 2)

    answer = await leader_of(etcd, "e")

    assert (answer.kv.value, answer.kv.key) == (b"old", won.leader.key)
    assert answer.header.revision == await etcd.revision()
    waiting.cancel()


async def test_no_leader(etcd: Client) -> None:
    assert await refusal(leader_of(etcd, "nobody")) == NO_LEADER


async def test_requests_without_a_leader(etcd: Client) -> None:
    proclaimed = etcd.send(etcd.election.Proclaim, election.ProclaimRequest(value=b"1"))
    resigned = etcd.send(etcd.election.Resign, election.ResignRequest())

    assert await refusal(proclaimed) == MISSING
    assert await refusal(resigned) == MISSING


@pytest.mark.parametrize("call", [proclaim, resign])
async def test_an_empty_leader_has_no_key(etcd: Client, call: Any) -> None:
    args = (election.LeaderKey(),) if call is resign else (election.LeaderKey(), b"")

    refused = await refusal(call(etcd, *args))

    assert refused == Refusal("UNKNOWN", "etcdserver: key is not provided")


async def seen(stream: Any) -> tuple[bytes, bytes, int]:
    """Return what an observer is told next: key, value, and how much newer the header is."""
    async with asyncio.timeout(SECONDS):
        answer = await stream.read()
    return answer.kv.key, answer.kv.value, answer.header.revision - answer.kv.mod_revision


async def test_an_observer_sees_the_leader_and_what_it_proclaims(etcd: Client) -> None:
    leader = (await campaign(etcd, "e", b"1", await etcd.grant(100))).leader
    await etcd.put("else")

    stream = etcd.election.Observe(election.LeaderRequest(name=etcd.key("e")), timeout=60)

    assert await seen(stream) == (leader.key, b"1", 1)
    await proclaim(etcd, leader, b"2")
    assert await seen(stream) == (leader.key, b"2", 0)
    await proclaim(etcd, leader, b"3")
    assert await seen(stream) == (leader.key, b"3", 0)
    stream.cancel()


async def test_an_observer_sees_the_next_leader(etcd: Client) -> None:
    first, second = await etcd.grant(100), await etcd.grant(100)
    leader = (await campaign(etcd, "e", b"1", first)).leader
    waiting = campaign(etcd, "e", b"2", second)
    await waiters(etcd, "e/", 2)
    stream = etcd.election.Observe(election.LeaderRequest(name=etcd.key("e")), timeout=60)
    await seen(stream)

    await resign(etcd, leader)

    next_leader = (await waiting).leader
    assert (await seen(stream))[:2] == (next_leader.key, b"2")
    stream.cancel()


async def test_an_observer_waits_for_the_first_leader(etcd: Client) -> None:
    stream = etcd.election.Observe(election.LeaderRequest(name=etcd.key("e")), timeout=60)
    observing = asyncio.create_task(seen(stream))
    await etcd.put("else")

    leader = (await campaign(etcd, "e", b"1", await etcd.grant(100))).leader

    assert await observing == (leader.key, b"1", 0)
    await resign(etcd, leader)
    leader = (await campaign(etcd, "e", b"2", await etcd.grant(100))).leader
    assert await seen(stream) == (leader.key, b"2", 0)
    stream.cancel()
