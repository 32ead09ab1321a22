"""Node ports: one object with a bit per port, changed in one transaction with the service.

All services share that object, so within a server one write at a time works on it; between servers
the transaction decides, and who lost begins anew. When the object is missing, of another range or
unreadable, it is made from the services there are.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable

from control_plane.apiserver.allocation.port_set import PortSet, decode
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.model import KeyChange


class PortDraft:
    """The set as a write would leave it."""

    def __init__(self, key: bytes, ports: PortSet, revision: int) -> None:
        """`revision` is that of the stored object, 0 if it must be made."""
        self.ports = ports
        self._key, self._revision, self._before = key, revision, ports.bits

    def take_any(self) -> int:
        """Take a random free port; raises RangeFullError."""
        return self.ports.take_any(random.choice)

    def changes(self) -> list[KeyChange]:
        """What has to be written."""
        if self._revision and self.ports.bits == self._before:
            return []
        return [KeyChange(self._key, self.ports.encode(), self._revision)]


class NodePorts:
    """The ports `first` to `last`, kept at `key`."""

    def __init__(
        self,
        etcd: EtcdClient,
        key: bytes,
        ports: tuple[int, int],
        in_use: Callable[[], Awaitable[set[int]]],
    ) -> None:
        """`in_use` lists the node ports of all services, as of now or later."""
        self._etcd = etcd
        self.key = key
        self.first, self.last = ports
        self._in_use = in_use
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def draft(self) -> AsyncIterator[PortDraft]:
        """The set to work on; nobody else in this server does within the block."""
        async with self._turn:
            yield await self._read()

    async def write(self, draft: PortDraft) -> bool:
        """Write a draft on its own; False when somebody else was faster."""
        changes = draft.changes()
        return not changes or (await self._etcd.change(*changes)).succeeded

    async def _read(self) -> PortDraft:
        kv, _ = await self._etcd.get(self.key)
        ports = decode(kv.value, self.first, self.last) if kv is not None else None
        revision = kv.mod_revision if kv is not None else 0
        if ports is None:
            # read after the object: a service that comes later changes the object first
            ports = PortSet(self.first, self.last, await self._in_use())
            return _Made(self.key, ports, revision)
        return PortDraft(self.key, ports, revision)


class _Made(PortDraft):
    """A set that is not what lies in the store, even if nothing of it changes."""

    def changes(self) -> list[KeyChange]:
        return [KeyChange(self._key, self.ports.encode(), self._revision)]
