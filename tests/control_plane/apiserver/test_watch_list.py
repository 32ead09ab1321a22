"""Where watches start, for every form of resourceVersion and sendInitialEvents."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

import pytest

from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import config_map
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

pytestmark = pytest.mark.every_store

Object = dict[str, Any]
Watch = Callable[[str], Iterator[Object]]
NOT_OLDER = "resourceVersionMatch=NotOlderThan"
END = ("BOOKMARK", "end")


@pytest.fixture
def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


@pytest.fixture
def watch(server: ThreadedApiServer, path: str) -> Iterator[Watch]:
    """Starts watches that last a minute at most, each on a connection of its own."""
    with ExitStack() as stack:

        def start(query: str) -> Iterator[Object]:
            client = stack.enter_context(raw_api(server))
            whole = f"{path}?watch=1&timeoutSeconds=60&allowWatchBookmarks=true&{query}"
            return stack.enter_context(client.open_watch(whole))

        yield start


def shown(events: Iterator[Object], count: int) -> list[tuple[str, str]]:
    return [(event["type"], _name(event["object"])) for event in islice(events, count)]


def _name(obj: Object) -> str:
    annotations = obj["metadata"].get("annotations") or {}
    if annotations.get("k8s.io/initial-events-end") == "true":
        return "end"
    return str(obj["metadata"].get("name", ""))


def make(api: RawApi, path: str, name: str) -> str:
    made = api.post(path, config_map(name))
    assert made.code == 201, made.text
    version: str = made.json["metadata"]["resourceVersion"]
    return version


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [("ADDED", "a"), ("ADDED", "b"), END, ("ADDED", "c")]),
        ("sendInitialEvents=true&" + NOT_OLDER, [("ADDED", "a"), ("ADDED", "b"), END]),
        (
            "sendInitialEvents=true&resourceVersion={b}&" + NOT_OLDER,
            [("ADDED", "a"), ("ADDED", "b"), END, ("ADDED", "c")],
        ),
        ("sendInitialEvents=false&" + NOT_OLDER, [("ADDED", "c")]),
        ("sendInitialEvents=false&resourceVersion={a}&" + NOT_OLDER,
         [("ADDED", "b"), ("ADDED", "c")]),
        ("resourceVersion={a}", [("ADDED", "b"), ("ADDED", "c")]),
        ("resourceVersion={b}", [("ADDED", "c")]),
    ],
)  # fmt: skip
def test_where_a_watch_starts(
    api: RawApi, watch: Watch, path: str, query: str, expected: list[tuple[str, str]]
) -> None:
    versions = {"a": make(api, path, "a"), "b": make(api, path, "b")}
    at_least = f"resourceVersion={versions['b']}&{NOT_OLDER}"
    assert len(api.get(f"{path}?{at_least}").json["items"]) == 2  # now the cache has them
    events = watch(query.format(**versions))
    make(api, path, "c")
    assert shown(events, len(expected)) == expected


@pytest.mark.parametrize("query", ["resourceVersion=0", f"sendInitialEvents=1&{NOT_OLDER}"])
def test_the_state_that_a_watch_starts_from_may_be_filtered(
    api: RawApi, watch: Watch, path: str, query: str
) -> None:
    make(api, path, "a")
    version = make(api, path, "b")
    api.get(f"{path}?resourceVersion={version}&{NOT_OLDER}")
    events = watch(f"{query}&fieldSelector=metadata.name%3Db")
    assert shown(events, 2) == [("ADDED", "b"), END]


def test_an_initial_bookmark_is_for_those_who_take_bookmarks(
    api: RawApi, server: ThreadedApiServer, path: str
) -> None:
    make(api, path, "a")
    query = f"watch=1&sendInitialEvents=true&{NOT_OLDER}&timeoutSeconds=1"
    with raw_api(server) as client:
        assert shown(client.watch(f"{path}?{query}"), 9) == [("ADDED", "a")]


def test_a_version_of_the_future_is_waited_for(api: RawApi, watch: Watch, path: str) -> None:
    version = int(make(api, path, "a"))
    events = watch(f"resourceVersion={version + 1}")
    make(api, path, "too-early")
    for number in range(3):
        made = int(make(api, path, f"c{number}"))
    (event,) = islice(events, 1)
    seen = int(event["object"]["metadata"]["resourceVersion"])
    assert version + 1 < seen <= made


def test_a_state_of_the_future_is_not(watch: Watch) -> None:
    (event,) = watch(f"sendInitialEvents=true&resourceVersion=99999999999&{NOT_OLDER}")
    assert event["type"] == "ERROR"
    status = event["object"]
    assert (status["code"], status["reason"]) == (504, "Timeout")
    assert status["message"].startswith("Timeout: Too large resource version: 99999999999, ")
    assert status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_a_bookmark_comes_shortly_before_the_end(
    api: RawApi, server: ThreadedApiServer, path: str
) -> None:
    version = make(api, path, "a")
    query = f"watch=1&resourceVersion={version}&timeoutSeconds=3&allowWatchBookmarks=true"
    with raw_api(server) as client:
        events = list(client.watch(f"{path}?{query}"))
    assert [event["type"] for event in events] == ["BOOKMARK"], events
    (event,) = events
    assert event["object"].keys() == {"kind", "apiVersion", "metadata"}
    assert event["object"]["metadata"].keys() == {"resourceVersion"}
    assert int(event["object"]["metadata"]["resourceVersion"]) >= int(version)
    with raw_api(server) as client:
        quiet = query.replace("allowWatchBookmarks=true", "").replace("=3", "=1")
        assert list(client.watch(f"{path}?{quiet}")) == []
