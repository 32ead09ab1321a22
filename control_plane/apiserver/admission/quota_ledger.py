"""The ResourceQuotas that admission charges, in the newest state that this server knows.

The watch cache tells of every change; a server's own charges are known before that. What a charge
finds to be out of date is read from the store before the next one. Only the newest revision of a
quota counts, whoever tells of it.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from control_plane.api.objects import Object
from control_plane.api.quota.charging import Quota
from control_plane.api.resources import RESOURCEQUOTAS
from control_plane.apiserver.etcd.model import KeyChange, Part
from control_plane.apiserver.storage.cache_event import CacheEvent
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.entry import Entry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """A quota at a revision."""

    quota: Quota
    obj: Object
    revision: int


class QuotaLedger:
    """Quotas by namespace."""

    def __init__(self, collections: Collections) -> None:
        """Follow the cache of quotas."""
        self._etcd = collections.etcd
        self._store = collections.of(RESOURCEQUOTAS).store
        self._known: dict[str, dict[str, Known]] = {}
        self._doubted: set[str] = set()
        collections.observe(RESOURCEQUOTAS, self)

    def of(self, namespace: str) -> list[Quota]:
        """The quotas of a namespace."""
        found = self._known.get(namespace)
        return [known.quota for known in found.values()] if found is not None else []

    def doubt(self, namespace: str) -> None:
        """Take note that a charge of the namespace's quotas has failed: others were faster."""
        if namespace in self._known:
            self._doubted.add(namespace)

    def is_doubted(self, namespace: str) -> bool:
        """Whether a namespace's quotas are to be read before they are charged."""
        return namespace in self._doubted

    async def refresh(self, namespace: str) -> None:
        """Read the known quotas of a namespace as the store has them now."""
        self._doubted.discard(namespace)
        for name in list(self._known.get(namespace, {})):
            stored = await self._store.get(namespace, name)
            if stored is not None:
                self._learn(namespace, Known(Quota.of(stored.obj), stored.obj, stored.revision))
            else:
                self._forget(namespace, name)

    def change(self, namespace: str, quota: Quota) -> KeyChange:
        """The write that gives a known quota its new status.used."""
        known = self._known[namespace][quota.name]
        key = self._store.key(namespace, quota.name)
        value = self._store.codec.encode(_with_used(known.obj, quota))
        return self._store.write(key, value, known.revision)

    async def write(self, namespace: str, quotas: Iterable[Quota], part: Part) -> int:
        """Give known quotas their new status.used, together with another part of a transaction.

        Returns its revision; 0 when something was not as it was known.
        """
        changes = [self.change(namespace, quota) for quota in quotas]
        swap = await self._etcd.change(changes[0], *changes[1:], part)
        revision = swap.revision if swap.succeeded else 0
        self.written(namespace, quotas, revision)
        return revision

    def written(self, namespace: str, quotas: Iterable[Quota], revision: int) -> None:
        """Take note that quotas were changed at a revision, or were not (0): others were faster."""
        if not revision:
            self.doubt(namespace)
            return
        for quota in quotas:
            known = self._known.get(namespace, {}).get(quota.name)
            if known is not None:
                self._learn(namespace, Known(quota, _with_used(known.obj, quota), revision))

    def _learn(self, namespace: str, new: Known) -> None:
        """Take in a quota's state at a revision, unless a newer one is known."""
        quotas = self._known.setdefault(namespace, {})
        known = quotas.get(new.quota.name)
        if known is None or known.revision < new.revision:
            quotas[new.quota.name] = new

    def loaded(self, entries: Iterable[Entry]) -> None:
        """Take the whole state in."""
        self._known.clear()
        for entry in entries:
            self._take(entry)

    def changed(self, event: CacheEvent) -> None:
        """Take one change in."""
        if event.entry is not None:
            self._take(event.entry)
        elif event.previous is not None:
            self._forget(event.previous.namespace, event.previous.name)

    def _take(self, entry: Entry) -> None:
        """Learn of a quota; one that is none of ours, put into the store by others, is left out."""
        known = self._known.get(entry.namespace, {}).get(entry.name)
        if known is not None and known.revision >= entry.revision:
            return  # a charge of this server's own
        try:
            obj: Object = orjson.loads(entry.item)
            self._learn(entry.namespace, Known(Quota.of(obj), obj, entry.revision))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            logger.error("unusable quota name=%s/%s: %r", entry.namespace, entry.name, error)
            self._forget(entry.namespace, entry.name)

    def _forget(self, namespace: str, name: str) -> None:
        quotas = self._known.get(namespace, {})
        quotas.pop(name, None)
        if not quotas:
            self._known.pop(namespace, None)
            self._doubted.discard(namespace)


def _with_used(obj: Object, quota: Quota) -> Object:
    return {**obj, "status": {**(obj.get("status") or {}), "used": quota.used}}
