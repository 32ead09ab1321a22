"""Keeping leases alive on a store of one's own: in memory, and still safe when the server dies."""

import asyncio
import os
import signal
import time
from pathlib import Path

from proto.etcd import rpc_pb2 as pb
from tests.datastore.client import client_of
from tests.support.datastore import Datastore

RENEWALS = 300


def _written(server: Datastore) -> tuple[int, int]:
    database = Path(server.endpoint_url.removeprefix("sqlite:///"))
    log = database.with_name(database.name + "-wal")
    return log.stat().st_size, log.stat().st_mtime_ns


async def test_a_renewal_writes_nothing() -> None:
    with Datastore() as server:
        async with client_of(server.address) as client:
            lease = (await client.lease.LeaseGrant(pb.LeaseGrantRequest(TTL=60))).ID
            call = client.lease.LeaseKeepAlive()
            before = _written(server)
            for _ in range(RENEWALS):
                await call.write(pb.LeaseKeepAliveRequest(ID=lease))
                assert (await call.read()).TTL == 60
            assert _written(server) == before
            call.cancel()


async def test_a_killed_server_gives_leases_their_full_time_again() -> None:
    with Datastore() as server:
        async with client_of(server.address) as client:
            lease = (await client.lease.LeaseGrant(pb.LeaseGrantRequest(TTL=600))).ID
            await asyncio.sleep(1.5)
            server.kill()
        started = time.monotonic()
        server.start()
        async with client_of(server.address) as client:
            left = await client.lease.LeaseTimeToLive(pb.LeaseTimeToLiveRequest(ID=lease))
        since = time.monotonic() - started
    assert 599 - since <= left.TTL <= 600  # whole seconds of 600; not what was left of them before
    assert left.grantedTTL == 600


async def test_a_server_that_was_held_up_renews_what_was_due_meanwhile() -> None:
    with Datastore() as server:
        async with client_of(server.address) as client:
            lease = (await client.lease.LeaseGrant(pb.LeaseGrantRequest(TTL=4))).ID
            call = client.lease.LeaseKeepAlive()
            await call.write(pb.LeaseKeepAliveRequest(ID=lease))
            assert (await call.read()).TTL == 4
            os.kill(server.pid, signal.SIGSTOP)
            await call.write(pb.LeaseKeepAliveRequest(ID=lease))
            await asyncio.sleep(6)
            os.kill(server.pid, signal.SIGCONT)
            for _ in range(3):
                assert (await asyncio.wait_for(call.read(), 60)).TTL == 4
                await call.write(pb.LeaseKeepAliveRequest(ID=lease))
            call.cancel()
