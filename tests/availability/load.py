"""The load of a round: writers that meet on few objects, readers in pages, watchers, services."""

import asyncio
import itertools
import random
import time
from typing import Any

from tests.availability.client import BROKEN, Client, Object
from tests.availability.history import Event, History, Listed, Outcome, Watched, Write

NAMES = 12
PAGE = 5
PAUSE_SECONDS = 0.02
RETRY_SECONDS = 0.05
# A watch that one server can no longer resume is asked of the next one, this often.
EXPIRED_TIMES = 20
OBJECTS = "/api/v1/namespaces/{}/configmaps"
SERVICES = "/api/v1/namespaces/{}/services"


class Load:
    """Workers in one namespace; every one of them writes down what it sees."""

    def __init__(self, namespace: str, history: History, seed: int) -> None:
        self.history = history
        self.ending = asyncio.Event()
        self.latencies: list[float] = []
        self._path = OBJECTS.format(namespace)
        self._services = SERVICES.format(namespace)
        self._random = random.Random(seed)
        self._numbers = itertools.count()
        self._progress = asyncio.Event()

    async def write(self, client: Client) -> None:
        """Create, update and delete a few objects, in turn with others, until the end."""
        while not self.ending.is_set():
            name = f"c{self._random.randrange(NAMES)}"
            try:
                code, found = await client.call("GET", f"{self._path}/{name}")
            except BROKEN:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if code == 404:
                await self.create(client, name)
            elif code == 200 and self._random.random() < 0.2:
                await self._delete(client, name, found)
            elif code == 200:
                await self._update(client, name, found)
            await asyncio.sleep(PAUSE_SECONDS)

    async def create(self, client: Client, name: str) -> Write:
        """Create one object; return what became of it."""
        write = self._write("create", name)
        body = {"metadata": {"name": name}, "data": {"payload": write.payload}}
        await self._send(client, write, "POST", self._path, body)
        return write

    async def _update(self, client: Client, name: str, found: Object) -> None:
        write = self._write("update", name)
        version = found["metadata"]["resourceVersion"]
        write.based_on = int(version)
        body = {"metadata": {"resourceVersion": version}, "data": {"payload": write.payload}}
        await self._send(client, write, "PATCH", f"{self._path}/{name}", body)

    async def _delete(self, client: Client, name: str, found: Object) -> None:
        write = self._write("delete", name)
        write.uid = found["metadata"]["uid"]
        body = {"preconditions": {"uid": write.uid}}
        await self._send(client, write, "DELETE", f"{self._path}/{name}", body)

    def _write(self, kind: str, name: str) -> Write:
        write = Write(kind, name, f"p{next(self._numbers)}", time.monotonic())
        self.history.writes.append(write)
        return write

    async def _send(
        self, client: Client, write: Write, method: str, path: str, body: Object
    ) -> None:
        try:
            code, answer = await client.call(method, path, body)
        except BROKEN:
            return
        write.ended = time.monotonic()
        self.latencies.append(write.ended - write.began)
        if code < 300:
            write.outcome = Outcome.DONE
            write.revision = int(answer.get("metadata", {}).get("resourceVersion") or 0)
        elif code < 500 and not (method == "DELETE" and code in (404, 409)):
            # a deletion may have been sent twice: HTTP clients do that when a connection ends
            write.outcome = Outcome.REFUSED

    async def read(self, client: Client) -> None:
        """List in pages, each maybe from another server, until the end."""
        while not self.ending.is_set():
            listed = await self.list(client)
            if listed is not None:
                self.history.lists.append(listed)
            await asyncio.sleep(PAUSE_SECONDS)

    async def list(self, client: Client) -> Listed | None:
        """One list in pages; None when a page could not be had."""
        began, token, revision = time.monotonic(), "", 0
        items: dict[str, tuple[str, int]] = {}
        while True:
            try:
                code, answer = await client.call(
                    "GET", f"{self._path}?limit={PAGE}&continue={token}"
                )
            except BROKEN:
                code, answer = 0, {}
            if code != 200:
                if not token:
                    return None
                await asyncio.sleep(RETRY_SECONDS)  # the same page from another server
                continue
            revision = int(answer["metadata"]["resourceVersion"])
            items |= {item["metadata"]["name"]: _content(item) for item in answer["items"]}
            token = answer["metadata"].get("continue", "")
            if not token:
                return Listed(began, revision, items)

    async def watch(self, client: Client) -> None:
        """Watch from a list on; go on after the last event whenever the watch ends. For ever."""
        first = await self.list(client)
        while first is None:
            await asyncio.sleep(RETRY_SECONDS)
            first = await self.list(client)
        self.history.lists.append(first)
        watched = Watched(first.revision)
        self.history.watches.append(watched)
        self._progress.set()
        last, expired = first.revision, 0
        while True:
            path = f"{self._path}?watch=1&resourceVersion={last}"
            try:
                async for event in client.watch(path):
                    if event["type"] == "ERROR":
                        expired += 1
                        assert expired < EXPIRED_TIMES, f"a watch cannot go on: {event}"
                        break
                    expired = 0
                    seen = _event(event)
                    watched.events.append(seen)
                    last = seen.revision
                    self._progress.set()
            except BROKEN:
                pass
            watched.resumed += 1
            await asyncio.sleep(RETRY_SECONDS)

    async def watched_by(self, count: int) -> None:
        """Wait until so many watchers have begun."""
        while len(self.history.watches) < count:
            self._progress.clear()
            await self._progress.wait()

    async def seen_by_all(self, revision: int) -> None:
        """Wait until every watcher has come to this revision."""
        watches = self.history.watches
        while not all(w.events and w.events[-1].revision >= revision for w in watches):
            self._progress.clear()
            await self._progress.wait()

    async def allocate(self, client: Client) -> None:
        """Make and delete services with node ports until the end."""
        made: list[str] = []
        while not self.ending.is_set():
            name = f"s{next(self._numbers)}"
            ports = {"type": "NodePort", "ports": [{"port": 80}]}
            try:
                body = {"metadata": {"name": name}, "spec": ports}
                code, _ = await client.call("POST", self._services, body)
                made += [name] if code == 201 else []
                if len(made) > PAGE:
                    await client.call("DELETE", f"{self._services}/{made.pop(0)}")
            except BROKEN:
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)


def _content(item: Any) -> tuple[str, int]:
    return item["data"]["payload"], int(item["metadata"]["resourceVersion"])


def _event(event: Object) -> Event:
    metadata = event["object"]["metadata"]
    payload = event["object"]["data"]["payload"]
    revision = int(metadata["resourceVersion"])
    return Event(revision, event["type"], metadata["name"], metadata["uid"], payload)
