"""Node ports: one object with a bit per port, changed by compare-and-swap.

The object is upstream's RangeAllocation, its bits a big-endian number. When it is missing it is
made from the services there are. Source: the port allocator of Kubernetes v1.35.
"""

import base64
import random
from collections.abc import Awaitable, Callable

import orjson

from control_plane.apiserver.allocation.errors import AllocationError, RangeFullError
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.errors import StoreBusyError

SWAP_ATTEMPTS = 1000


class NodePorts:
    """The ports `first` to `last`, kept at `key`."""

    def __init__(
        self,
        etcd: EtcdClient,
        key: bytes,
        ports: tuple[int, int],
        in_use: Callable[[], Awaitable[set[int]]],
    ) -> None:
        """`in_use` lists the node ports of all services, for when the object is missing."""
        self._etcd = etcd
        self._key = key
        self._first, self._last = ports
        self._in_use = in_use
        size = self._last - self._first + 1
        self._reserved = min(max(16, size // 32), 128, size - 1)

    @property
    def text(self) -> str:
        """The range as FIRST-LAST."""
        return f"{self._first}-{self._last}"

    async def claim(self, port: int) -> None:
        """Claim one port; raises AllocationError."""
        if not self._first <= port <= self._last:
            raise AllocationError(
                f"provided port is not in the valid range. The range of valid ports is {self.text}"
            )

        def change(bits: int) -> int:
            if bits & self._bit(port):
                raise AllocationError("provided port is already allocated")
            return bits | self._bit(port)

        await self._swap(change)

    async def claim_any(self) -> int:
        """Claim a free port, from the upper part of the range while it lasts."""
        chosen = 0

        def change(bits: int) -> int:
            nonlocal chosen
            chosen = self._free(bits)
            return bits | self._bit(chosen)

        await self._swap(change)
        return chosen

    async def release(self, port: int) -> None:
        """Give a port back."""
        if self._first <= port <= self._last:
            await self._swap(lambda bits: bits & ~self._bit(port))

    def _free(self, bits: int) -> int:
        upper = range(self._first + self._reserved, self._last + 1)
        lower = range(self._first, self._first + self._reserved)
        for ports in (upper, lower):
            free = [port for port in ports if not bits & self._bit(port)]
            if free:
                return random.choice(free)
        raise RangeFullError("failed to allocate a nodePort: range is full")

    def _bit(self, port: int) -> int:
        return 1 << (port - self._first) if self._first <= port <= self._last else 0

    async def _swap(self, change: Callable[[int], int]) -> None:
        for _ in range(SWAP_ATTEMPTS):
            kv, _ = await self._etcd.get(self._key)
            if kv is None:
                bits = sum(self._bit(port) for port in await self._in_use())
            else:
                bits = self._decode(kv.value)
            changed = change(bits)
            if kv is not None and changed == bits:
                return
            revision = kv.mod_revision if kv is not None else 0
            swap = await self._etcd.put_if(self._key, self._encode(changed), revision)
            if swap.succeeded:
                return
        raise StoreBusyError("the allocation of node ports did not come to an end: try again")

    def _decode(self, value: bytes) -> int:
        data = base64.b64decode(orjson.loads(value).get("data") or "")
        return int.from_bytes(data, "big")

    def _encode(self, bits: int) -> bytes:
        data = bits.to_bytes((bits.bit_length() + 7) // 8, "big")
        return orjson.dumps(
            {
                "kind": "RangeAllocation",
                "apiVersion": "v1",
                "metadata": {},
                "range": self.text,
                "data": base64.b64encode(data).decode(),
            }
        )
