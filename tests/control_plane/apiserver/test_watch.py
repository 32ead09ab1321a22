"""Watches: where they start, what selectors make of changes, bookmarks and ends."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import pytest

from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import config_map
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

pytestmark = pytest.mark.every_store

Object = dict[str, Any]


@pytest.fixture
def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


@pytest.fixture
def watcher(server: ThreadedApiServer) -> Iterator[RawApi]:
    """A second connection, for the watch."""
    with raw_api(server) as client:
        yield client


def _take(events: Iterator[Object], count: int) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"]["name"]) for event in islice(events, count)]


def _version(api: RawApi, path: str) -> str:
    version: str = api.get(path).json["metadata"]["resourceVersion"]
    return version


def test_events_after_a_version_come_once_and_in_order(
    api: RawApi, watcher: RawApi, path: str
) -> None:
    api.post(path, config_map("before"))
    version = _version(api, path)
    api.post(path, config_map("a", x="1"))
    with closing(watcher.watch(f"{path}?watch=1&resourceVersion={version}")) as events:
        assert _take(events, 1) == [("ADDED", "a")]
        api.patch(f"{path}/a", {"data": {"x": "2"}})
        api.post(path, config_map("b"))
        deleted = api.delete(f"{path}/a")
        assert deleted.code == 200
        got = list(islice(events, 3))
    assert [event["type"] for event in got] == ["MODIFIED", "ADDED", "DELETED"]
    assert got[0]["object"]["kind"] == "ConfigMap"
    assert got[2]["object"]["data"] == {"x": "2"}
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in got]
    assert versions == sorted(versions)
    assert versions[2] > versions[1]


@pytest.mark.parametrize("version", ["", "&resourceVersion=0"])
def test_without_a_version_the_objects_come_first(
    api: RawApi, watcher: RawApi, path: str, version: str
) -> None:
    api.post(path, config_map("a"))
    api.post(path, config_map("b"))
    if version:
        version = f"{version}&fieldSelector=metadata.name!%3Dnone"
        _version(api, path)
    with closing(watcher.watch(f"{path}?watch=1{version}")) as events:
        assert _take(events, 2) == [("ADDED", "a"), ("ADDED", "b")]
        api.post(path, config_map("c"))
        assert _take(events, 1) == [("ADDED", "c")]


def test_watch_list_ends_with_its_bookmark(api: RawApi, watcher: RawApi, path: str) -> None:
    api.post(path, config_map("a"))
    query = (
        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    )
    with closing(watcher.watch(f"{path}?{query}")) as events:
        added, bookmark = islice(events, 2)
    assert added["type"] == "ADDED"
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["kind"] == "ConfigMap"
    metadata = bookmark["object"]["metadata"]
    assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(metadata["resourceVersion"]) >= int(added["object"]["metadata"]["resourceVersion"])


def test_selectors_make_additions_and_deletions(api: RawApi, watcher: RawApi, path: str) -> None:
    version = _version(api, path)
    query = f"watch=1&resourceVersion={version}&labelSelector=on%3Dyes"
    with closing(watcher.watch(f"{path}?{query}")) as events:
        api.post(path, config_map("a", {"on": "no"}, x="1"))
        api.patch(f"{path}/a", {"metadata": {"labels": {"on": "yes"}}})
        api.patch(f"{path}/a", {"data": {"x": "2"}})
        left = api.patch(f"{path}/a", {"metadata": {"labels": {"on": "no"}}, "data": {"x": "3"}})
        api.delete(f"{path}/a")
        api.post(path, config_map("b", {"on": "yes"}))
        got = list(islice(events, 4))
    shown = [(event["type"], event["object"]["metadata"]["name"]) for event in got]
    assert shown == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a"), ("ADDED", "b")]
    gone = got[2]["object"]
    assert gone["data"] == {"x": "2"}
    assert gone["metadata"]["labels"] == {"on": "yes"}
    assert gone["metadata"]["resourceVersion"] == left.json["metadata"]["resourceVersion"]


def test_field_selector_by_name(api: RawApi, watcher: RawApi, path: str) -> None:
    version = _version(api, path)
    query = f"watch=1&resourceVersion={version}&fieldSelector=metadata.name%3Db"
    with closing(watcher.watch(f"{path}?{query}")) as events:
        api.post(path, config_map("a"))
        api.post(path, config_map("b"))
        assert _take(events, 1) == [("ADDED", "b")]


def test_the_old_watch_path_still_works(api: RawApi, watcher: RawApi, namespace: str) -> None:
    api.post(f"/api/v1/namespaces/{namespace}/configmaps", config_map("a"))
    with closing(watcher.watch(f"/api/v1/watch/namespaces/{namespace}/configmaps/a")) as events:
        assert _take(events, 1) == [("ADDED", "a")]


def test_a_watch_ends_at_its_timeout(api: RawApi, watcher: RawApi, path: str) -> None:
    api.post(path, config_map("a"))
    version = _version(api, path)
    query = f"watch=1&resourceVersion={version}&timeoutSeconds=1&allowWatchBookmarks=true"
    events = list(watcher.watch(f"{path}?{query}"))
    assert [event["type"] for event in events] in ([], ["BOOKMARK"])


def test_table_watch_sends_its_columns_once(api: RawApi, watcher: RawApi, path: str) -> None:
    api.post(path, config_map("a"))
    api.post(path, config_map("b"))
    table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    with closing(watcher.watch(f"{path}?watch=1", table)) as events:
        first, second = islice(events, 2)
    assert first["object"]["kind"] == "Table"
    assert first["object"]["columnDefinitions"]
    assert first["object"]["rows"][0]["cells"][0] == "a"
    assert second["object"]["columnDefinitions"] is None


def test_yaml_cannot_stream(watcher: RawApi, path: str) -> None:
    answer = watcher.get(f"{path}?watch=1", "application/yaml")
    assert answer.code == 406
