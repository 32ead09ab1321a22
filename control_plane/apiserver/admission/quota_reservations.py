"""The keys by which an API server says that it has charged quotas for what it has not yet stored.

    /registry/quotacharges/NAMESPACE/SERVER

What was charged ahead is stored on the condition that the key is still there, and the status of a
quota is written on the condition that its namespace has none. So whoever counts what is stored
never leaves out what has been charged, and a server that dies leaves no more than a charge that the
next count takes back: its key expires.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.model import KeyChange, KeyCondition, prefix_end
from control_plane.apiserver.storage.leases import ObjectLeases

LEASE_SECONDS = 10


@dataclass(slots=True)
class Reservation:
    """A key that was made at a revision (0: there is none), for these quotas."""

    revision: int = 0
    since: float = 0.0
    quotas: set[str] = field(default_factory=set)

    def age(self, now: float) -> float:
        """How many seconds it has lasted; 0 without one."""
        return now - self.since if self.revision else 0.0


class QuotaReservations:
    """The keys of this server; each is known by the revision at which it was made."""

    def __init__(self, etcd: EtcdClient, root: str, clock: Callable[[], float]) -> None:
        """Keys lie under `root`, such as "/registry"; `clock` returns monotonic seconds."""
        self._etcd = etcd
        self._prefix = f"{root}/quotacharges/".encode()
        self._server = uuid.uuid4().hex.encode()
        self._leases = ObjectLeases(etcd, LEASE_SECONDS, clock)
        self.clock = clock

    async def made(self, namespace: str) -> KeyChange:
        """The change that makes the key of a namespace."""
        lease = await self._leases.lease()
        return KeyChange(self._key(namespace), self._server, 0, lease)

    def held(self, namespace: str, revision: int) -> KeyCondition:
        """The condition that the key is still there."""
        return KeyCondition(self._key(namespace), revision)

    def ended(self, namespace: str, revision: int) -> KeyChange:
        """The change that takes the key away."""
        return KeyChange(self._key(namespace), None, revision)

    def none(self, namespace: str) -> KeyCondition:
        """The condition that no server has charged the quotas of a namespace ahead."""
        prefix = self._key(namespace, b"")
        return KeyCondition(prefix, 0, prefix_end(prefix))

    async def revision(self, namespace: str) -> int:
        """When the key was made, as the store has it; 0 when it is not there."""
        found, _ = await self._etcd.get(self._key(namespace))
        return found.create_revision if found is not None else 0

    async def are_any(self, namespace: str) -> bool:
        """Whether any server has charged the quotas of a namespace ahead."""
        key, _, end = self.none(namespace)
        return bool((await self._etcd.range(key, end, limit=1)).kvs)

    async def end(self, namespace: str, revision: int) -> None:
        """Take the key away, if it is there."""
        await self._etcd.change(self.ended(namespace, revision))

    def _key(self, namespace: str, server: bytes | None = None) -> bytes:
        own = self._server if server is None else server
        return b"%s%s/%s" % (self._prefix, namespace.encode(), own)
