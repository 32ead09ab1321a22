"""A set of node ports as it is stored: a RangeAllocation, a bit per port. Pure.

The bits are one big-endian number whose lowest bit is the first port. A kube-apiserver writes the
object as protobuf, this server as JSON; both are read here.
Source: the port allocator and the bitmap of Kubernetes v1.35.
"""

import base64
import binascii
from collections.abc import Callable, Iterable

import orjson

from control_plane.apiserver.allocation.errors import AllocationError, RangeFullError
from control_plane.apiserver.protobuf import envelope
from control_plane.apiserver.protobuf.wire_format import WireError

LEAST_STATIC, MOST_STATIC, STATIC_SHARE = 16, 128, 32


def static_band(size: int) -> int:
    """How many of `size` ports are left to those who ask for a certain one."""
    if size <= LEAST_STATIC:
        return 0
    return min(max(LEAST_STATIC, size // STATIC_SHARE), MOST_STATIC)


class PortSet:
    """Taken ports out of `first` to `last`."""

    def __init__(self, first: int, last: int, taken: Iterable[int] = ()) -> None:
        """Take those of `taken` that are in the range."""
        self.first, self.last = first, last
        self.bits = 0
        for port in taken:
            if port in self:
                self.bits |= self._bit(port)

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def has(self, port: int) -> bool:
        """Whether a port is taken."""
        return port in self and bool(self.bits & self._bit(port))

    def taken(self) -> set[int]:
        """All that are."""
        return {port for port in range(self.first, self.last + 1) if self.has(port)}

    @property
    def text(self) -> str:
        """The range as FIRST-LAST."""
        return f"{self.first}-{self.last}"

    def take(self, port: int) -> None:
        """Take one port; raises AllocationError."""
        if port not in self:
            raise AllocationError(
                f"provided port is not in the valid range. The range of valid ports is {self.text}"
            )
        if self.has(port):
            raise AllocationError("provided port is already allocated")
        self.bits |= self._bit(port)

    def take_any(self, choose: Callable[[list[int]], int]) -> int:
        """Take a free port, of the dynamic band while it lasts; raises RangeFullError."""
        dynamic = self.first + static_band(self.last - self.first + 1)
        for ports in (range(dynamic, self.last + 1), range(self.first, dynamic)):
            free = [port for port in ports if not self.has(port)]
            if free:
                port = choose(free)
                self.bits |= self._bit(port)
                return port
        raise RangeFullError

    def give_back(self, port: int) -> None:
        """Free a port; harmless if it is free or foreign."""
        if port in self:
            self.bits &= ~self._bit(port)

    def encode(self) -> bytes:
        """The value to store."""
        data = self.bits.to_bytes((self.bits.bit_length() + 7) // 8, "big")
        return orjson.dumps(
            {
                "kind": "RangeAllocation",
                "apiVersion": "v1",
                "metadata": {},
                "range": self.text,
                "data": base64.b64encode(data).decode(),
            }
        )

    def _bit(self, port: int) -> int:
        return 1 << (port - self.first)


def decode(value: bytes, first: int, last: int) -> PortSet | None:
    """The stored set; None when it is of another range or cannot be read."""
    try:
        is_protobuf = value.startswith(envelope.MAGIC)
        stored = envelope.decode(value) if is_protobuf else orjson.loads(value)
        data = base64.b64decode(stored.get("data") or "")
    except (WireError, orjson.JSONDecodeError, binascii.Error, AttributeError):
        return None
    ports = PortSet(first, last)
    if stored.get("range") != ports.text:
        return None
    ports.bits = int.from_bytes(data, "big") & ((1 << (last - first + 1)) - 1)
    return ports
