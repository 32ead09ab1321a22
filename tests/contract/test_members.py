"""Cluster: one member, who it is, and what cannot be done to it."""

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, Refusal, refusal
from tests.contract.targets import Server

BAD_URLS = Refusal("INVALID_ARGUMENT", "etcdserver: given member URLs are invalid")
NOT_FOUND = Refusal("NOT_FOUND", "etcdserver: member not found")
UNKNOWN_ID = 77
EITHER = pytest.mark.parametrize(
    "linearizable", [pytest.param(True, id="linearizable"), pytest.param(False, id="local")]
)


async def members(etcd: Client, linearizable: bool) -> pb.MemberListResponse:
    """Ask for the members."""
    request = pb.MemberListRequest(linearizable=linearizable)
    answer: pb.MemberListResponse = await etcd.send(etcd.cluster.MemberList, request)
    return answer


@EITHER
async def test_one_started_voting_member(etcd: Client, linearizable: bool) -> None:
    answer = await members(etcd, linearizable)

    assert [member.ID for member in answer.members] == [answer.header.member_id]
    assert answer.members[0].name
    assert not answer.members[0].isLearner


@EITHER
async def test_the_member_tells_where_clients_reach_it(
    etcd: Client, server: Server, linearizable: bool
) -> None:
    answer = await members(etcd, linearizable)

    assert list(answer.members[0].clientURLs) == [server.endpoint]


@EITHER
async def test_the_member_has_a_peer_url(etcd: Client, linearizable: bool) -> None:
    answer = await members(etcd, linearizable)

    assert len(answer.members[0].peerURLs) == 1


@EITHER
async def test_the_header_has_no_revision(etcd: Client, linearizable: bool) -> None:
    await etcd.put("a")

    header = (await members(etcd, linearizable)).header

    assert header.revision == 0
    assert header.cluster_id != 0
    assert header.raft_term >= 1


async def test_the_leader_is_a_member(etcd: Client) -> None:
    leader = (await etcd.status()).leader

    assert leader in [member.ID for member in (await members(etcd, True)).members]


@pytest.mark.parametrize(
    "urls",
    [[], [""], ["nonsense"], ["http://a"], ["http://a:1/x"], ["ftp://a:1"], ["http://a:b"]],
)
async def test_a_member_with_bad_urls_is_not_added(etcd: Client, urls: list[str]) -> None:
    request = pb.MemberAddRequest(peerURLs=urls)

    assert await refusal(etcd.send(etcd.cluster.MemberAdd, request)) == BAD_URLS


async def test_a_member_with_urls_in_use_is_not_added(etcd: Client) -> None:
    used = (await members(etcd, True)).members[0].peerURLs
    request = pb.MemberAddRequest(peerURLs=used)

    refused = await refusal(etcd.send(etcd.cluster.MemberAdd, request))

    assert refused == Refusal("FAILED_PRECONDITION", "etcdserver: Peer URLs already exists")


@pytest.mark.ours_only("a real etcd adds it, and waits for it")
async def test_no_member_is_added(etcd: Client) -> None:
    request = pb.MemberAddRequest(peerURLs=["http://127.0.0.1:1"])

    assert (await refusal(etcd.send(etcd.cluster.MemberAdd, request))).code == "UNIMPLEMENTED"


async def test_the_only_member_is_not_removed(etcd: Client) -> None:
    request = pb.MemberRemoveRequest(ID=(await etcd.status()).leader)

    assert await refusal(etcd.send(etcd.cluster.MemberRemove, request)) == Refusal(
        "UNKNOWN",
        "etcdserver: re-configuration failed due to not enough started members",
    )


async def test_a_voting_member_is_not_promoted(etcd: Client) -> None:
    request = pb.MemberPromoteRequest(ID=(await etcd.status()).leader)

    assert await refusal(etcd.send(etcd.cluster.MemberPromote, request)) == Refusal(
        "FAILED_PRECONDITION", "etcdserver: can only promote a learner member"
    )


async def test_an_unknown_member(etcd: Client) -> None:
    calls = [
        (etcd.cluster.MemberRemove, pb.MemberRemoveRequest(ID=UNKNOWN_ID)),
        (etcd.cluster.MemberUpdate, pb.MemberUpdateRequest(ID=UNKNOWN_ID, peerURLs=["http://b:1"])),
        (etcd.cluster.MemberPromote, pb.MemberPromoteRequest(ID=UNKNOWN_ID)),
    ]

    assert [await refusal(etcd.send(*call)) for call in calls] == [NOT_FOUND] * 3


@pytest.mark.own_server
async def test_an_update_stores_any_peer_urls(etcd: Client, server: Server) -> None:
    urls = ["http://b:1", "not, a url"]
    request = pb.MemberUpdateRequest(ID=(await etcd.status()).leader, peerURLs=urls)

    answer = await etcd.send(etcd.cluster.MemberUpdate, request)

    assert [list(member.peerURLs) for member in answer.members] == [urls]
    assert answer.header.revision == 0
    assert list((await members(etcd, True)).members[0].clientURLs) == [server.endpoint]
    assert list((await members(etcd, True)).members[0].peerURLs) == urls


@pytest.mark.own_server
async def test_peer_urls_outlive_a_restart(etcd: Client, server: Server) -> None:
    request = pb.MemberUpdateRequest(ID=(await etcd.status()).leader, peerURLs=["http://b:1"])
    await etcd.send(etcd.cluster.MemberUpdate, request)

    server.restart()

    async with Client(server.address) as again:
        assert list((await members(again, True)).members[0].peerURLs) == ["http://b:1"]
