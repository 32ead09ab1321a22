"""Maintenance/MoveLeader and Downgrade on a single member."""

from typing import Any

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, Refusal, refusal

pytestmark = pytest.mark.any_backend
BAD_LEADER = Refusal("FAILED_PRECONDITION", "etcdserver: bad leader transferee")
BAD_FORMAT = Refusal("INVALID_ARGUMENT", "etcdserver: wrong downgrade target version format")
BAD_TARGET = Refusal("INVALID_ARGUMENT", "etcdserver: invalid downgrade target version")
VALIDATE, ENABLE, CANCEL = 0, 1, 2


async def downgrade(etcd: Client, action: int, version: str = "") -> Any:
    """Ask for a downgrade."""
    request = pb.DowngradeRequest(version=version)
    request.action = action  # type: ignore[assignment]  # unknown numbers are tested
    return await etcd.send(etcd.maintenance.Downgrade, request)


async def move(etcd: Client, target: int) -> Any:
    """Ask for another leader."""
    request = pb.MoveLeaderRequest(targetID=target)
    return await etcd.send(etcd.maintenance.MoveLeader, request)


async def test_the_leader_may_move_to_itself(etcd: Client) -> None:
    member = (await etcd.status()).leader

    assert not (await move(etcd, member)).HasField("header")


@pytest.mark.parametrize("member", [0, 1, 2**64 - 1])
async def test_nobody_else_can_lead(etcd: Client, member: int) -> None:
    assert await refusal(move(etcd, member)) == BAD_LEADER


@pytest.mark.etcd_since("3.6")
@pytest.mark.parametrize("version", ["3.5", "3.5.0", "3.5.99", "3.5.0-rc.1", "3.5.0+meta"])
async def test_the_version_before_is_a_valid_target(etcd: Client, version: str) -> None:
    revision = (await etcd.put("a")).header.revision

    answer = await downgrade(etcd, VALIDATE, version)

    assert answer.version == "3.6"
    assert answer.header.revision == revision


@pytest.mark.etcd_since("3.6")
@pytest.mark.parametrize("version", ["3.6", "3.7.0", "3.4", "2.3", "4.0", "3.5000"])
@pytest.mark.parametrize("action", [VALIDATE, ENABLE])
async def test_other_versions_are_none(etcd: Client, action: int, version: str) -> None:
    assert await refusal(downgrade(etcd, action, version)) == BAD_TARGET


@pytest.mark.parametrize("version", ["", "3", "v3.5", "3.5.x", "three", "3.5.0.0", "3.5-rc.1"])
@pytest.mark.parametrize("action", [VALIDATE, ENABLE])
async def test_what_is_no_version(etcd: Client, action: int, version: str) -> None:
    assert await refusal(downgrade(etcd, action, version)) == BAD_FORMAT


@pytest.mark.etcd_since("3.6")
async def test_cancelling_none_is_no_error(etcd: Client) -> None:
    assert (await downgrade(etcd, CANCEL)).version == "3.6"


async def test_an_unknown_action(etcd: Client) -> None:
    refused = await refusal(downgrade(etcd, 7, "3.5"))

    assert refused == Refusal("UNKNOWN", "etcdserver: unknown method")


@pytest.mark.ours_only("a real etcd starts the job")
async def test_there_is_nothing_to_downgrade_to(etcd: Client) -> None:
    assert (await refusal(downgrade(etcd, ENABLE, "3.5"))).code == "UNIMPLEMENTED"
    assert not (await etcd.status()).downgradeInfo.enabled
