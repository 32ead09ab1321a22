"""Cluster/MemberList."""

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client
from tests.contract.targets import Server

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
