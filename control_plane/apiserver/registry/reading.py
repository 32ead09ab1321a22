"""Get, list and watch, with the meaning of resourceVersion that clients rely on.

    no version     the newest state: everything acknowledged before the request is seen
    0              whatever the cache has
    N              at least N (cache), or exactly N (store) for Exact and for paged lists

Source: the tables of Kubernetes' API concepts, v1.35.
"""

from collections.abc import Awaitable
from typing import NamedTuple, TypeVar

from control_plane.api.errors import BadRequest, Expired, NotFound, Timeout, TooManyRequests
from control_plane.api.field_error import invalid
from control_plane.api.resources import Resource
from control_plane.apiserver.etcd.errors import CompactedError, FutureRevisionError
from control_plane.apiserver.http.list_options import EXACT, ListOptions
from control_plane.apiserver.storage import continue_token
from control_plane.apiserver.storage.collection import Collection
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.continue_token import LATEST, ContinueToken
from control_plane.apiserver.storage.entry import Entry, entry_key
from control_plane.apiserver.storage.object_store import StoredPage
from control_plane.apiserver.storage.resource_version import parse_revision
from control_plane.apiserver.storage.selection import Selection
from control_plane.apiserver.storage.watcher import Watcher

TOO_OLD_LIST = "The resourceVersion for the provided list is too old."
TOO_OLD_CONTINUE = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)

Answer = TypeVar("Answer")


class Listing(NamedTuple):
    """A list or a chunk of one; `remaining` is None when it is not known or nothing is left."""

    entries: list[Entry]
    revision: int
    continue_token: str = ""
    remaining: int | None = None


class Reader:
    """The reading half of the API."""

    def __init__(self, collections: Collections) -> None:
        """Read from these."""
        self._collections = collections

    async def get(
        self, resource: Resource, namespace: str, name: str, resource_version: str
    ) -> bytes:
        """The JSON of one object; raises NotFound."""
        collection = self._collections.of(resource)
        if resource_version:
            try:
                revision = parse_revision(resource_version)
            except ValueError as error:
                field = invalid("resourceVersion", resource_version, str(error))
                raise BadRequest(f"invalid resource version: {field}") from error
            if await self._reach(collection, revision):
                entry = collection.cache.get(entry_key(resource, namespace, name))
                if entry is None:
                    raise NotFound.of(resource, name)
                return collection.cache.codec.whole(entry.item)
        stored = await collection.read(namespace, name)
        if stored is None:
            raise NotFound.of(resource, name)
        return stored

    async def list(self, resource: Resource, options: ListOptions) -> Listing:
        """The selected objects; raises Expired, Timeout, TooManyRequests or BadRequest."""
        collection = self._collections.of(resource)
        if options.continue_token:
            return await self._continue(collection, options)
        exact = options.match == EXACT or (
            not options.match and options.limit and options.revision > 0
        )
        if exact:
            revision = options.revision
            page = await _expiring(
                self._page(collection, options, revision, ""), revision, collection
            )
            return _listing(page, options)
        if options.resource_version:
            is_fresh = await self._reach(collection, options.revision)
        else:
            is_fresh = await collection.refresh()
        if is_fresh and collection.cache.is_complete:
            return self._cached(collection, options)
        return _listing(await self._page(collection, options, 0, ""), options)

    async def watch(self, resource: Resource, options: ListOptions) -> Watcher:
        """Start a watch; raises watch_cache.TooOldError when its version is gone."""
        collection = self._collections.of(resource)
        with_objects = options.starts_with_objects
        await self._loaded(collection)
        is_fresh = True
        if with_objects and not options.resource_version:
            is_fresh = await collection.refresh()
        elif options.send_initial_events:
            is_fresh = await self._reach(collection, options.revision)
        if not is_fresh or (with_objects and not collection.cache.is_complete):
            return await self._watch_store(collection, options.selection)
        await self._loaded(collection)  # it may have begun anew meanwhile
        if not with_objects and options.revision:
            return collection.cache.watch_after(options.selection, options.revision)
        return collection.cache.watch_state(options.selection, with_objects=with_objects)

    async def _watch_store(self, collection: Collection, selection: Selection) -> Watcher:
        """Start a watch at the state of the store, which the cache has yet to come to."""
        kept, kept_selection = collection.cache.kept(selection)
        page = await self._collections.of(kept).store.page(kept_selection)
        await self._loaded(collection)
        watcher = collection.cache.watch_after(selection, page.revision)
        watcher.initial = page.entries
        return watcher

    def _cached(self, collection: Collection, options: ListOptions) -> Listing:
        """All the cache has, or a first chunk of it; who takes any version gets all."""
        entries = collection.cache.select(options.selection)
        revision = collection.cache.clock.revision
        takes_any = options.resource_version and not options.revision
        if not options.limit or takes_any or len(entries) <= options.limit:
            return Listing(entries, revision)
        return _first_chunk(entries, options, revision)

    async def _page(
        self, collection: Collection, options: ListOptions, revision: int, start: str
    ) -> StoredPage:
        return await collection.store.page(
            options.selection, limit=options.limit, revision=revision, start=start
        )

    async def _continue(self, collection: Collection, options: ListOptions) -> Listing:
        if options.revision:
            raise BadRequest("specifying resource version is not allowed when using continue")
        try:
            token = continue_token.decode(options.continue_token)
        except ValueError as error:
            raise BadRequest(f"invalid continue token: {error}") from error
        revision = max(0, token.revision)
        try:
            page = await self._page(collection, options, revision, token.start)
        except CompactedError as error:
            fresh = continue_token.encode(ContinueToken(LATEST, token.start))
            raise ExpiredChunkError(TOO_OLD_CONTINUE, fresh) from error
        except FutureRevisionError as error:
            current = await collection.store.revision()
            raise Timeout.too_large_resource_version(revision, current) from error
        return _listing(page, options)

    async def _loaded(self, collection: Collection) -> None:
        if not await collection.is_loaded():
            raise TooManyRequests("storage is (re)initializing", retry_after_seconds=1)

    async def _reach(self, collection: Collection, revision: int) -> bool:
        """Wait until the cache is at `revision`; False when only the store is.

        Raises Timeout when the store is not there either.
        """
        await self._loaded(collection)
        if await collection.reach(revision):
            return True
        if await collection.store.revision() < revision:
            current = collection.cache.clock.revision
            raise Timeout.too_large_resource_version(revision, current)
        return False


class ExpiredChunkError(Expired):
    """410 for a continue token, with a new one to go on at the current state."""

    def __init__(self, message: str, token: str) -> None:
        """`token` goes into the Status's metadata."""
        super().__init__(message)
        self.token = token

    def status(self) -> dict[str, object]:
        """The Status with the token."""
        return {**super().status(), "metadata": {"continue": self.token}}


def _listing(page: StoredPage, options: ListOptions) -> Listing:
    if not page.next_start:
        return Listing(page.entries, page.revision)
    token = continue_token.encode(ContinueToken(page.revision, page.next_start))
    remaining = None if options.selection.is_filtered else page.remaining
    return Listing(page.entries, page.revision, token, remaining)


def _first_chunk(entries: list[Entry], options: ListOptions, revision: int) -> Listing:
    chunk = entries[: options.limit]
    start = _relative(options.selection, chunk[-1]) + "\0"
    token = continue_token.encode(ContinueToken(revision, start))
    remaining = None if options.selection.is_filtered else len(entries) - len(chunk)
    return Listing(chunk, revision, token, remaining)


def _relative(selection: Selection, entry: Entry) -> str:
    return entry.name if selection.namespace else entry.key


async def _expiring(reading: Awaitable[Answer], revision: int, collection: Collection) -> Answer:
    try:
        return await reading
    except CompactedError as error:
        raise Expired(TOO_OLD_LIST) from error
    except FutureRevisionError as error:
        current = await collection.store.revision()
        raise Timeout.too_large_resource_version(revision, current) from error
