"""A client that does not read: its events wait in the database, none lost or doubled."""

import asyncio
from pathlib import Path

from tests.datastore.client import client_of, events
from tests.support.datastore import Datastore

PUTS = 3_000
VALUE = b"v" * 20_000
# What waits for three readers is 180 MB. Outbox and recent events are 20 MiB, and what the
# allocator and a busy machine's backlog add depends little on the size of the values.
GROWTH_BYTES = 128 << 20


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


async def test_events_wait_in_the_database_not_in_memory(database: str) -> None:
    with Datastore(database) as server:
        async with client_of(server.address) as writer, client_of(server.address) as reader:
            streams = [reader.watching() for _ in range(3)]
            opened = [await stream.__aenter__() for stream in streams]
            first = await writer.put(b"first")
            before = resident_bytes(server.pid)
            for start in range(0, PUTS, 100):
                await asyncio.gather(
                    *(writer.put(b"k%d" % n, VALUE) for n in range(start, start + 100))
                )
            growth = resident_bytes(server.pid) - before
            seen = await asyncio.gather(*(events(stream, PUTS + 1) for stream in opened))
            last = await writer.put(b"last")
            after = [await events(stream, 1) for stream in opened]
            for stream in streams:
                await stream.__aexit__(None, None, None)

    expected = list(range(first, first + PUTS + 1))
    assert [[revision for revision, _, _ in each] for each in seen] == [expected] * 3
    assert [each[0][:2] for each in after] == [(last, b"last")] * 3
    assert growth < GROWTH_BYTES
