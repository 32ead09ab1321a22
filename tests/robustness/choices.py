"""What a client task does next: random, but every value it writes is unique in the whole run."""

import itertools
import random
from typing import NamedTuple

from tests.robustness.history import OK, Compare, Op, Record, Request

KEYS = [f"/r/{number:02}" for number in range(16)]
END = "/r0"
LONG_TTL, SHORT_TTL = 600, 2
LARGE = 20_000  # characters of a value now and then: more than a page of any database


class Lease(NamedTuple):
    """A lease to grant."""

    id: int
    ttl: int


class Chooser:
    """Chooses requests for one task, and remembers what it was told for its next compares."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.leases: list[int] = []
        self._name = name
        self._chance = chance
        self._numbers = itertools.count(1)
        self._mods: dict[str, int] = {}
        self._revision = 0

    def wants_lease(self) -> Lease | None:
        """Return a lease to grant first, now and then."""
        if self._chance.random() > 0.03:
            return None
        ttl = self._chance.choice((LONG_TTL, LONG_TTL, SHORT_TTL))
        return Lease(self._chance.getrandbits(60) + 1, ttl)

    def wants_renewal(self) -> int:
        """Return a lease to renew first, now and then; else 0."""
        if not self.leases or self._chance.random() > 0.05:
            return 0
        return self._chance.choice(self.leases)

    def choose(self) -> Request:
        """Return the next request."""
        kinds = [
            *[self._put] * 6,
            *[self._update] * 5,
            *[self._several] * 4,
            *[self._get] * 4,
            *[self._delete] * 2,
            self._list,
            self._list_past,
            self._revoke,
        ]
        return self._chance.choice(kinds)()

    def learn(self, record: Record) -> None:
        """Remember the mod revisions that an answer tells."""
        if record.status != OK:
            return
        self._revision = max(self._revision, record.revision)
        for op, result in zip(record.operations, record.results, strict=True):
            if op.kind == "put":
                self._mods[op.key] = record.revision
            elif op.kind == "delete" and not op.end:
                self._mods[op.key] = 0
            elif not op.revision and op.kind == "get":
                self._mods.update({kv.key: kv.mod for kv in result.kvs})

    def _key(self) -> str:
        return self._chance.choice(KEYS)

    def _value(self) -> str:
        size = LARGE if self._chance.random() < 0.02 else self._chance.randrange(300)
        return f"{self._name}-{next(self._numbers)}-{'x' * size}"

    def _write(self, key: str) -> Op:
        leased = self.leases and self._chance.random() < 0.2
        lease = self._chance.choice(self.leases) if leased else 0
        return Op("put", key, value=self._value(), lease=lease)

    def _put(self) -> Request:
        return Request(True, (self._write(self._key()),))

    def _get(self) -> Request:
        return Request(True, (Op("get", self._key()),))

    def _delete(self) -> Request:
        return Request(True, (Op("delete", self._key()),))

    def _list(self) -> Request:
        return Request(True, (Op("get", KEYS[0], END),))

    def _list_past(self) -> Request:
        past = max(self._revision - self._chance.randrange(30), 0)
        return Request(True, (Op("get", KEYS[0], END, revision=past),))

    def _update(self) -> Request:
        """Put if nobody has written since, else look: the shape of every Kubernetes write."""
        key = self._key()
        compares = (Compare(key, self._mods.get(key, 0)),)
        return Request(False, (self._write(key),), (Op("get", key),), compares)

    def _several(self) -> Request:
        """Write several keys and delete some, in one Txn: all of it or nothing."""
        keys = self._chance.sample(KEYS, self._chance.randrange(2, 6))
        writes = [self._write(key) for key in keys[:-1]]
        if self._chance.random() < 0.3:
            # Keys beyond those written, so that no key is given twice.
            first = max(key for key in keys)
            return Request(False, (*writes, Op("delete", first + "~", END), Op("get", keys[0])))
        return Request(False, (*writes, Op("delete", keys[-1]), Op("get", KEYS[0], END)))

    def _revoke(self) -> Request:
        if not self.leases:
            return self._put()
        lease = self.leases.pop(self._chance.randrange(len(self.leases)))
        return Request(True, (Op("revoke", lease=lease),))
