"""The informer: a local copy of one collection, kept current by list and watch.

Read it with `get`, `list` and `by_index`; hear of changes through handlers. Both are synchronous
and run on the event loop, so that a handler sees the store exactly as of its event. Objects in
the store are shared: nobody may change them (`deep_copy` first).

It lists once, then watches from the list's resourceVersion and resumes each watch where the last
one ended; bookmarks keep that point young. It lists again only when the server no longer has the
history (410), or has not reached that point (its store was set back). A change missed meanwhile
shows as the difference between the copies: handlers hear of it as usual, a vanished object as a
delete with its last known content. There is no periodic resync.

Called by every component through `InformerSet`. Source: client-go tools/cache (reflector,
shared_informer, thread_safe_store).
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from control_plane.api.errors import ApiError, Expired, Gone
from control_plane.api.objects import Object, key_of, uid_of
from control_plane.api.resources import Resource
from control_plane.client.client import ApiClient, ApiUnavailable
from control_plane.client.clock import LOOP_CLOCK, Clock
from control_plane.client.object_store import IndexFunction, ObjectStore
from control_plane.client.rate_limit import Backoff

log = logging.getLogger(__name__)

Objects = list[Object]  # the class below has a method named list
Handler = Callable[[str, Object | None, Object | None], None]

BACKOFF_BASE_SECONDS = 0.2
BACKOFF_CAP_SECONDS = 10.0
HEALTHY_SECONDS = 1.0  # a watch that ended sooner counts as a failure


class Informer:
    """List and watch of one resource, optionally of one namespace and by selectors."""

    def __init__(
        self,
        client: ApiClient,
        resource: Resource,
        *,
        namespace: str | None = None,
        field_selector: str = "",
        label_selector: str = "",
        clock: Clock = LOOP_CLOCK,
    ) -> None:
        """Prepare; nothing is read before `run`."""
        self.resource = resource
        self.has_synced = asyncio.Event()
        self._client = client
        self._namespace = namespace
        self._field_selector = field_selector
        self._label_selector = label_selector
        self._clock = clock
        self._backoff = Backoff(BACKOFF_BASE_SECONDS, BACKOFF_CAP_SECONDS)
        self._store = ObjectStore()
        self._handlers: list[Handler] = []
        self._resource_version = "0"  # where the next list or watch starts
        self._listed = False

    def add_handler(self, handler: Handler) -> None:
        """Call `handler("add"|"update"|"delete", old, new)` for each change from now on.

        What is in the store already is reported as added, at once. old is None for an add, new for
        a delete. A handler that raises is logged; the others and the informer go on.
        """
        self._handlers.append(handler)
        for obj in self._store.objects():
            self._call(handler, "add", None, obj)

    def get(self, key: str) -> Object | None:
        """Return the object of `key` ("namespace/name", or "name"), or None."""
        return self._store.get(key)

    def list(self, namespace: str | None = None) -> Objects:
        """Return the objects of one namespace, or all, in no particular order."""
        return self._store.objects(namespace)

    def add_index(self, name: str, function: IndexFunction) -> None:
        """Index objects by the values that `function` returns; a known name is left as it is."""
        self._store.add_index(name, function)

    def by_index(self, name: str, value: str) -> Objects:
        """Return what index `name` files under `value`; raises KeyError for an unknown name."""
        return self._store.by_index(name, value)

    async def run(self) -> None:
        """List, then watch, for ever; failures are logged and retried with growing delays."""
        while True:
            started = self._clock.monotonic()
            try:
                await self._list_and_watch()
            except (Expired, Gone) as error:
                log.info("relist resource=%s reason=%s", self.resource.plural, error.message)
                self._listed = False
                self._resource_version = ""
            except (ApiError, ApiUnavailable) as error:
                log.warning("watch_failed resource=%s error=%s", self.resource.plural, error)
                if not isinstance(error, ApiUnavailable):
                    self._listed = False
                    if _is_of_the_future(error):
                        self._resource_version = ""
            await self._pace(self._clock.monotonic() - started)

    async def _pace(self, lasted_seconds: float) -> None:
        if lasted_seconds >= HEALTHY_SECONDS:
            self._backoff.reset()
            return
        await self._clock.sleep(self._backoff.delay())

    async def _list_and_watch(self) -> None:
        if not self._listed:
            await self._relist()
        events = self._client.watch(
            self.resource,
            self._namespace,
            resource_version=self._resource_version,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            bookmarks=True,
        )
        async with aclosing(events) as stream:
            async for event in stream:
                self._apply(event["type"], event["object"])

    async def _relist(self) -> None:
        answer = await self._client.list(
            self.resource,
            self._namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            resource_version=self._resource_version,
        )
        listed = {key_of(item): item for item in answer["items"]}
        for old in self._store.objects():
            if key_of(old) not in listed:
                self._change(old, None)
        for key, new in listed.items():
            self._change(self._store.get(key), new)
        self._resource_version = answer["metadata"]["resourceVersion"]
        self._listed = True
        self.has_synced.set()

    def _apply(self, event_type: str, obj: Object) -> None:
        """Take over one watch event, and its resourceVersion as the point to resume from."""
        if event_type != "BOOKMARK":
            old = self._store.get(key_of(obj))
            if event_type == "DELETED":
                self._change(old or obj, None, last=obj)
            else:
                self._change(old, obj)
        self._resource_version = obj["metadata"]["resourceVersion"]

    def _change(self, old: Object | None, new: Object | None, last: Object | None = None) -> None:
        """Store the step from old to new and tell the handlers; `last` is a delete's final content.

        An object whose resourceVersion is known already is no change; one with another uid is
        another object of the same name.
        """
        if old is not None and new is not None and uid_of(old) != uid_of(new):
            self._change(old, None)
            old = None
        if new is None:
            assert old is not None
            self._store.remove(key_of(old))
            self._notify("delete", last or old, None)
        elif old is None:
            self._store.put(new)
            self._notify("add", None, new)
        elif old["metadata"].get("resourceVersion") != new["metadata"].get("resourceVersion"):
            self._store.put(new)
            self._notify("update", old, new)

    def _notify(self, event: str, old: Object | None, new: Object | None) -> None:
        for handler in self._handlers:
            self._call(handler, event, old, new)

    def _call(self, handler: Handler, event: str, old: Object | None, new: Object | None) -> None:
        try:
            handler(event, old, new)
        except Exception:
            key = key_of(new or old or {})
            log.exception("handler_failed resource=%s key=%s", self.resource.plural, key)


def _is_of_the_future(error: ApiError) -> bool:
    """Whether the server has not reached the resourceVersion that was asked for."""
    return any(cause.get("reason") == "ResourceVersionTooLarge" for cause in error.causes)
