"""[sig-api-machinery] Watchers: each test does what the conformance test of its name does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from typing import Any
from urllib.parse import quote

import pytest

from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import config_map
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

pytestmark = pytest.mark.every_store

Object = dict[str, Any]
LABEL = "watch-this-configmap"


class Watches:
    """Watches of one namespace's config maps, each with a connection of its own."""

    def __init__(self, server: ThreadedApiServer, path: str, stack: ExitStack) -> None:
        self._server = server
        self._path = path
        self._stack = stack

    def start(self, selector: str = "", version: str = "") -> Iterator[Object]:
        client = self._stack.enter_context(raw_api(self._server))
        query = f"{self._path}?watch=1&timeoutSeconds=60&resourceVersion={version}"
        if selector:
            query += f"&labelSelector={quote(selector)}"
        return self._stack.enter_context(client.open_watch(query))


@pytest.fixture
def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


@pytest.fixture
def watches(server: ThreadedApiServer, path: str) -> Iterator[Watches]:
    with ExitStack() as stack:
        yield Watches(server, path, stack)


def labelled(name: str, label: str) -> Object:
    return config_map(name, {LABEL: label})


def shown(events: Iterator[Object], count: int) -> list[tuple[str, str, str | None]]:
    """The next events: type, name and how often the object had been changed."""
    return [
        (
            event["type"],
            event["object"]["metadata"]["name"],
            (event["object"].get("data") or {}).get("mutation"),
        )
        for event in islice(events, count)
    ]


def mutate(api: RawApi, path: str, name: str, count: int) -> str:
    patched = api.patch(f"{path}/{name}", {"data": {"mutation": str(count)}}).json
    version: str = patched["metadata"]["resourceVersion"]
    return version


@pytest.mark.conformance(
    "[sig-api-machinery] Watchers should observe add, update, and delete watch "
    "notifications on configmaps [Conformance]",
)
def test_should_observe_add_update_and_delete_watch_notifications_on_configmaps(
    api: RawApi, path: str, watches: Watches
) -> None:
    version = api.get(path).json["metadata"]["resourceVersion"]
    a = watches.start(f"{LABEL}=a", version)
    b = watches.start(f"{LABEL}=b", version)
    both = watches.start(f"{LABEL} in (a,b)", version)
    api.post(path, labelled("a", "a"))
    mutate(api, path, "a", 1)
    mutate(api, path, "a", 2)
    api.delete(f"{path}/a")
    api.post(path, labelled("b", "b"))
    api.delete(f"{path}/b")
    of_a: list[tuple[str, str, str | None]] = [
        ("ADDED", "a", None), ("MODIFIED", "a", "1"), ("MODIFIED", "a", "2"), ("DELETED", "a", "2"),
    ]  # fmt: skip
    of_b: list[tuple[str, str, str | None]] = [("ADDED", "b", None), ("DELETED", "b", None)]
    assert shown(a, 4) == of_a
    assert shown(b, 2) == of_b
    assert shown(both, 6) == of_a + of_b


@pytest.mark.conformance(
    "[sig-api-machinery] Watchers should be able to start watching from a specific "
    "resource version [Conformance]",
)
def test_should_be_able_to_start_watching_from_a_specific_resource_version(
    api: RawApi, path: str, watches: Watches
) -> None:
    api.post(path, labelled("a", "x"))
    first = mutate(api, path, "a", 1)
    mutate(api, path, "a", 2)
    api.delete(f"{path}/a")
    events = watches.start(f"{LABEL}=x", first)
    assert shown(events, 2) == [("MODIFIED", "a", "2"), ("DELETED", "a", "2")]


@pytest.mark.conformance(
    "[sig-api-machinery] Watchers should be able to restart watching from the last "
    "resource version observed by the previous watch [Conformance]",
)
def test_should_be_able_to_restart_watching_from_the_last_resource_version_observed(
    api: RawApi, path: str, watches: Watches
) -> None:
    version = api.get(path).json["metadata"]["resourceVersion"]
    first = watches.start(f"{LABEL}=x", version)
    api.post(path, labelled("a", "x"))
    mutate(api, path, "a", 1)
    seen = list(islice(first, 2))
    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED"]
    mutate(api, path, "a", 2)
    last = seen[-1]["object"]["metadata"]["resourceVersion"]
    again = watches.start(f"{LABEL}=x", last)
    api.delete(f"{path}/a")
    assert shown(again, 2) == [("MODIFIED", "a", "2"), ("DELETED", "a", "2")]


@pytest.mark.conformance(
    "[sig-api-machinery] Watchers should observe an object deletion if it stops meeting "
    "the requirements of the selector [Conformance]",
)
def test_should_observe_an_object_deletion_if_it_stops_meeting_the_selector(
    api: RawApi, path: str, watches: Watches
) -> None:
    version = api.get(path).json["metadata"]["resourceVersion"]
    events = watches.start(f"{LABEL}=x", version)
    api.post(path, labelled("a", "x"))
    mutate(api, path, "a", 1)
    api.patch(f"{path}/a", {"metadata": {"labels": {LABEL: "wrong"}}})
    mutate(api, path, "a", 2)
    api.patch(f"{path}/a", {"metadata": {"labels": {LABEL: "x"}}})
    mutate(api, path, "a", 3)
    api.delete(f"{path}/a")
    assert shown(events, 6) == [
        ("ADDED", "a", None),
        ("MODIFIED", "a", "1"),
        ("DELETED", "a", "1"),
        ("ADDED", "a", "2"),
        ("MODIFIED", "a", "3"),
        ("DELETED", "a", "3"),
    ]


@pytest.mark.conformance(
    "[sig-api-machinery] Watchers should receive events on concurrent watches in same "
    "order [Conformance]",
)
def test_should_receive_events_on_concurrent_watches_in_same_order(
    api: RawApi, path: str, watches: Watches
) -> None:
    count = 12
    version = api.get(path).json["metadata"]["resourceVersion"]

    def produce() -> None:
        for number in range(count):
            name = f"cm-{number % 3}"
            if number >= 3:
                api.delete(f"{path}/{name}")
            api.post(path, config_map(name))
            mutate(api, path, name, number)

    with ThreadPoolExecutor(1) as pool:
        producing = pool.submit(produce)
        reference = watches.start(version=version)
        orders: list[Iterator[Object]] = []
        versions: list[int] = []
        for event in islice(reference, count):
            at = event["object"]["metadata"]["resourceVersion"]
            versions.append(int(at))
            orders.append(watches.start(version=at))
        versions += [
            int(event["object"]["metadata"]["resourceVersion"])
            for event in islice(reference, 3 * count - 3 - count)
        ]
        producing.result()
    assert versions == sorted(set(versions))
    for position, events in enumerate(orders):
        rest = versions[position + 1 :]
        seen = [
            int(event["object"]["metadata"]["resourceVersion"])
            for event in islice(events, len(rest))
        ]
        assert seen == rest
