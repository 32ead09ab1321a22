"""Maintenance/Status."""

import re

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client

pytestmark = pytest.mark.every_front


async def test_version_is_three_numbers(etcd: Client) -> None:
    version = (await etcd.status()).version

    assert re.fullmatch(r"\d+\.\d+\.\d+", version)


@pytest.mark.etcd_since("3.6")
async def test_version_is_a_3_6(etcd: Client) -> None:
    assert (await etcd.status()).version.startswith("3.6.")


async def test_the_server_is_its_own_leader_and_no_learner(etcd: Client) -> None:
    status = await etcd.status()

    assert status.leader == status.header.member_id != 0
    assert not status.isLearner
    assert list(status.errors) == []


async def test_terms_agree(etcd: Client) -> None:
    status = await etcd.status()

    assert status.raftTerm == status.header.raft_term >= 1


async def test_the_index_grows_with_writes(etcd: Client) -> None:
    before = await etcd.status()
    await etcd.put("a")
    after = await etcd.status()

    assert after.raftIndex > before.raftIndex > 0
    assert after.raftAppliedIndex > before.raftAppliedIndex > 0


async def test_sizes(etcd: Client) -> None:
    await etcd.put("a", b"x" * 100_000)

    status = await etcd.status()

    assert status.dbSize >= status.dbSizeInUse > 0


async def test_the_header_has_the_current_revision(etcd: Client) -> None:
    revision = (await etcd.put("a")).header.revision

    assert (await etcd.status()).header.revision == revision


@pytest.mark.etcd_since("3.6")
async def test_fields_of_3_6(etcd: Client) -> None:
    status = await etcd.status()

    assert status.storageVersion == "3.6.0"
    assert status.dbSizeQuota == 2 * 1024**3
    assert status.HasField("downgradeInfo")
    assert status.downgradeInfo == pb.DowngradeInfo()
