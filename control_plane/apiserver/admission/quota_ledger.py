"""The ResourceQuotas that admission charges, in the newest state that this server knows.

The watch cache tells of every change; a server's own charges are known before that, and those that
are still on their way to the store count as made: the next one expects to find what they write.
What a charge finds to be out of date is read from the store before the next one. Only the newest
revision of a quota counts, whoever tells of it.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import orjson

from control_plane.api.objects import Object
from control_plane.api.quota.charging import Quota
from control_plane.api.resources import RESOURCEQUOTAS
from control_plane.apiserver.etcd.model import KeyChange
from control_plane.apiserver.storage.cache_event import CacheEvent
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.entry import Entry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """A quota at a revision; `written` is what the store has of it while it is on its way there."""

    quota: Quota
    obj: Object
    revision: int
    written: bytes | None = None


class QuotaLedger:
    """Quotas by namespace."""

    def __init__(self, collections: Collections) -> None:
        """Follow the cache of quotas."""
        self._store = collections.of(RESOURCEQUOTAS).store
        self._known: dict[str, dict[str, Known]] = {}
        self._under_way: dict[str, dict[str, Known]] = {}
        self._doubted: set[str] = set()
        collections.observe(RESOURCEQUOTAS, self)

    def of(self, namespace: str) -> Iterator[Quota]:
        """The quotas of a namespace, with the charges that are under way."""
        found = self._known.get(namespace)
        if found is None:
            return iter(())
        newer = self._under_way.get(namespace) or {}
        return (newer.get(name, known).quota for name, known in found.items())

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
                self.learn(namespace, Known(Quota.of(stored.obj), stored.obj, stored.revision))
            else:
                self._forget(namespace, name)

    def change(self, namespace: str, name: str, used: dict[str, str]) -> tuple[KeyChange, Known]:
        """The write that gives a quota a new status.used, and the quota as it is then.

        Its revision is not known yet: it is under way until `arrived` or `forget_under_way`.
        """
        under_way = self._under_way.setdefault(namespace, {})
        known = under_way.get(name) or self._known[namespace][name]
        obj = {**known.obj, "status": {**(known.obj.get("status") or {}), "used": used}}
        key = self._store.key(namespace, name)
        write = self._store.write(key, self._store.codec.encode(obj), known.revision)
        new = Known(replace(known.quota, used=used), obj, known.revision, write.value)
        under_way[name] = new
        return write._replace(before=known.written), new

    def arrived(self, namespace: str, made: Known, revision: int) -> None:
        """Take note that a charge is in the store."""
        self.learn(namespace, replace(made, revision=revision, written=None))
        under_way = self._under_way.get(namespace, {})
        if under_way.get(made.quota.name) is made:
            del under_way[made.quota.name]

    def forget_under_way(self, namespace: str) -> None:
        """Take note that no charge is under way any more."""
        self._under_way.pop(namespace, None)

    def learn(self, namespace: str, new: Known) -> None:
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
            self.learn(entry.namespace, Known(Quota.of(obj), obj, entry.revision))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            logger.error("unusable quota name=%s/%s: %r", entry.namespace, entry.name, error)
            self._forget(entry.namespace, entry.name)

    def _forget(self, namespace: str, name: str) -> None:
        quotas = self._known.get(namespace, {})
        quotas.pop(name, None)
        if not quotas:
            self._known.pop(namespace, None)
            self._doubted.discard(namespace)
