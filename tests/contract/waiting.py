"""Seeing from outside who waits for a lock or an election, and who has gone: by their keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.contract.client import Client
from tests.contract.requests import DELETE
from tests.contract.streams import WatchStream

SECONDS = 60.0


class DeletedKeys:
    """The keys under a prefix as they are deleted."""

    def __init__(self, stream: WatchStream) -> None:
        self._stream = stream

    async def get(self) -> bytes:
        """Return the next one."""
        while True:
            (event,) = await self._stream.events(1)
            if event.type == DELETE:
                return event.kv.key


@asynccontextmanager
async def deleted_keys(etcd: Client, prefix: str) -> AsyncIterator[DeletedKeys]:
    """Watch what is deleted under a prefix that ends with "/"."""
    async with etcd.watch() as stream:
        await stream.create(prefix, prefix[:-1] + "0")
        yield DeletedKeys(stream)


async def waiters(etcd: Client, prefix: str, count: int) -> None:
    """Return once so many keys are under a prefix that ends with "/"."""
    async with etcd.watch() as stream, asyncio.timeout(SECONDS):
        end = prefix[:-1] + "0"
        await stream.create(prefix, end)
        while (await etcd.range(prefix, end, count_only=True)).count != count:
            await stream.next(SECONDS)
