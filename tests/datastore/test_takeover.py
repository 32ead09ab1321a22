"""What one server does for all that share a database is gone on with when it is killed."""

import asyncio
from typing import Any

from datastore.tools.check import check
from proto.etcd import rpc_pb2 as pb
from tests.datastore.client import Client, client_of
from tests.support.datastore import Datastore
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

TAKEN_OVER_SECONDS = 60.0


async def leads(client: Client) -> None:
    """Return when this server says that it leads."""
    while True:
        status = await client.maintenance.Status(pb.StatusRequest())
        if status.leader == status.header.member_id:
            return
        await asyncio.sleep(0.1)


async def until_deleted(stream: Any) -> list[bytes]:
    """Return the keys of the events up to the first deletion."""
    seen: list[bytes] = []
    while True:
        for event in (await stream.read()).events:
            seen.append(event.kv.key)
            if event.type:
                return seen


async def test_leases_end_and_history_is_pruned_after_a_murder(
    server: Postgres | Mariadb, name: str
) -> None:
    url = server.url(name)
    with Datastore(url, ["--name", "one"]) as one, Datastore(url, ["--name", "two"]) as two:
        async with client_of(one.address) as first, client_of(two.address) as second:
            await leads(first)
            granted = await first.lease.LeaseGrant(pb.LeaseGrantRequest(TTL=2))
            for _ in range(5):
                await first.put(b"kept")
            revision = await first.put(b"leased", b"", granted.ID)
            one.kill()
            async with second.watching(start_revision=revision) as stream:
                compaction = pb.CompactionRequest(revision=revision, physical=True)
                compacted = asyncio.ensure_future(second.kv.Compact(compaction))
                async with asyncio.timeout(TAKEN_OVER_SECONDS):
                    await leads(second)
                await compacted
                seen = await until_deleted(stream)
    rows = server.run("SELECT count(*) FROM history", database=name)

    assert seen == [b"leased", b"leased"]
    assert rows == ((3,),), "the newest of a key each, and the tombstone"
    assert list(check(url)) == []
