"""One resource's objects in the store: keys, compare-and-swap, and lists in pages.

Nothing here knows what a pod is. Every write is conditional on the revision that was read, so any
number of API servers may share a store. Errors are those of `etcd.errors`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from control_plane.api.objects import Object, name_of, namespace_of
from control_plane.api.resources import Resource
from control_plane.apiserver.encryption.encryption import Sealing
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.model import KeyChange, KeyValue, Page, Part, Swap, prefix_end
from control_plane.apiserver.storage.codec import Codec
from control_plane.apiserver.storage.converter import Converter, converted_page
from control_plane.apiserver.storage.entry import Entry, EntryMaker, entry_key
from control_plane.apiserver.storage.leases import ObjectLeases
from control_plane.apiserver.storage.selection import Selection
from control_plane.apiserver.storage.stored_object import UndecryptableError

MAX_PAGE = 10_000


class Stored(NamedTuple):
    """An object as read: decoded, with the revision of its last write and the bytes it was.

    `is_stale` where today it would be sealed with another key, or be of another version.
    """

    obj: Object
    revision: int
    value: bytes
    is_stale: bool = False


class StoredPage(NamedTuple):
    """A chunk of a list.

    `next_start` is where the next chunk starts, relative to the list's prefix ("" when this is the
    last one); `remaining` the number of objects after this chunk when no selector takes part.
    """

    entries: list[Entry]
    revision: int
    next_start: str
    remaining: int


class ObjectStore:
    """The objects of `resource` under `prefix`, which ends in a slash."""

    def __init__(
        self,
        resource: Resource,
        etcd: EtcdClient,
        prefix: bytes,
        leases: ObjectLeases | None = None,
        sealing: Sealing | None = None,
        converter: Converter | None = None,
    ) -> None:
        """Objects expire with a lease when `leases` is given, and lie sealed with `sealing`.

        A `converter` knows versions that the codec does not make of one another.
        """
        self.resource = resource
        self.codec = Codec(resource)
        self.prefix = prefix
        self._etcd = etcd
        self._leases = leases
        self._sealing = sealing
        self._converter = converter
        self._maker = EntryMaker(resource, self.codec)

    def key(self, namespace: str, name: str) -> bytes:
        """The store's key of an object; `namespace` is "" for cluster-scoped ones."""
        return self.prefix + entry_key(self.resource, namespace, name).encode()

    def key_of(self, obj: Object) -> bytes:
        """The store's key of a stored object."""
        return self.key(namespace_of(obj), name_of(obj))

    async def get(self, namespace: str, name: str) -> Stored | None:
        """Read the newest state of one object, or None."""
        kv, _ = await self._etcd.get(self.key(namespace, name))
        return await self._stored(kv) if kv is not None else None

    async def read(self, namespace: str, name: str) -> bytes | None:
        """Read the newest JSON of one object, as clients get it, or None."""
        kv, _ = await self._etcd.get(self.key(namespace, name))
        if kv is None:
            return None
        item, _ = self.codec.item(await self._served(self._opened(kv)[0]), kv.mod_revision)
        return self.codec.whole(item)

    async def _stored(self, kv: KeyValue) -> Stored:
        """Decode a key-value pair; raises codec.UnreadableError."""
        plain, is_stale = self._opened(kv)
        obj = await self.decode(plain, kv.mod_revision)
        return Stored(obj, kv.mod_revision, plain, is_stale or not self.codec.is_current(plain))

    async def encode(self, obj: Object) -> bytes:
        """The plain bytes to store for an object."""
        if self._converter is not None:
            return self.codec.encode_as_it_is(await self._converter.stored(obj))
        return self.codec.encode(obj)

    async def decode(self, plain: bytes, revision: int) -> Object:
        """The object stored as `plain` at `revision`; raises codec.UnreadableError."""
        return self.codec.decode(await self._served(plain), revision)

    async def written(self, obj: Object, plain: bytes, revision: int) -> Object:
        """What `decode` returns of an object that was just encoded as `plain`."""
        if self._converter is not None:
            return await self.decode(plain, revision)
        return self.codec.written(obj, plain, revision)

    async def _served(self, plain: bytes) -> bytes:
        if self._converter is None:
            return plain
        return (await self._converter.served([plain]))[0]

    def _opened(self, kv: KeyValue) -> tuple[bytes, bool]:
        """The plain value, and whether it is stale; raises UndecryptableError."""
        if self._sealing is None:
            return kv.value, False
        return self._sealing.open(kv.value, kv.key)

    def write(self, key: bytes, value: bytes, revision: int, lease: int = 0) -> KeyChange:
        """The change that puts encoded bytes at a key which is still at `revision`."""
        if self._sealing is not None:
            value = self._sealing.seal(value, key)
        return KeyChange(key, value, revision, lease)

    async def put(
        self, key: bytes, value: bytes, revision: int, others: Iterable[Part] = ()
    ) -> Swap:
        """Write encoded bytes if the key is still at `revision`; 0 means that it must be absent.

        `others` happen with it, all or nothing.
        """
        lease = await self._leases.lease() if self._leases is not None else 0
        return await self._etcd.change(self.write(key, value, revision, lease), *others)

    async def remove(self, key: bytes, revision: int, others: Iterable[KeyChange] = ()) -> Swap:
        """Delete the key if it is still at `revision`, and make the `others` with it."""
        return await self._etcd.change(KeyChange(key, None, revision), *others)

    async def revision(self) -> int:
        """The store's revision now: whatever was acknowledged before is not newer."""
        return await self._etcd.current_revision(self.prefix[:-1])

    async def page(
        self, selection: Selection, *, limit: int = 0, revision: int = 0, start: str = ""
    ) -> StoredPage:
        """Read a chunk of the selected objects as of one revision (0: now).

        With selectors, pages are read until `limit` objects are found or the keys are exhausted.
        """
        prefix = self._list_prefix(selection)
        key, end = prefix + start.encode(), prefix_end(prefix)
        found: list[Entry] = []
        pinned, page_size = revision, limit
        while True:
            page = await self._etcd.range(key, end, limit=page_size, revision=pinned)
            pinned = pinned or page.revision
            if self._converter is not None:
                page = await converted_page(page, self._converter, self._sealing)
            taken = self._select(page, selection, found, limit)
            has_more = taken < len(page.kvs) or len(page.kvs) < page.total
            if not has_more:
                return StoredPage(found, pinned, "", 0)
            key = page.kvs[taken - 1].key + b"\0"
            if limit and len(found) >= limit:
                next_start = key[len(prefix) :].decode()
                return StoredPage(found, pinned, next_start, page.total - taken)
            page_size = min(page_size * 2, MAX_PAGE)

    def _list_prefix(self, selection: Selection) -> bytes:
        if selection.namespace and self.resource.namespaced:
            return self.prefix + selection.namespace.encode() + b"/"
        return self.prefix

    def _select(self, page: Page, selection: Selection, found: list[Entry], limit: int) -> int:
        """Append what is selected of a page; return how many of its keys were looked at."""
        for index, kv in enumerate(page.kvs):
            relative = kv.key[len(self.prefix) :].decode()
            entry = self._maker.entry(relative, self._listed(kv), kv.mod_revision)
            if selection.selects(entry):
                found.append(entry)
                if limit and len(found) >= limit:
                    return index + 1
        return len(page.kvs)

    def _listed(self, kv: KeyValue) -> bytes:
        """The plain value of a list's item; one that cannot be had is named, and ends the list."""
        if self._converter is not None:
            return kv.value  # it has been opened and converted
        try:
            return self._opened(kv)[0]
        except UndecryptableError as error:
            key = kv.key.decode(errors="replace")
            raise UndecryptableError(f'unable to transform key "{key}": {error}') from error
