"""The least life of a lease follows the flags of raft's timing."""

import pytest

from tests.contract.client import Client

pytestmark = pytest.mark.any_backend


@pytest.mark.own_server("--heartbeat-interval=500", "--election-timeout=2500")
async def test_a_lease_lives_at_least_one_and_a_half_election_timeouts(etcd: Client) -> None:
    assert (await etcd.grant_as(1, 1)).TTL == 4
    assert (await etcd.grant_as(2, 5)).TTL == 5
