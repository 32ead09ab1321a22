"""The views for people: what they show, and that no value breaks them."""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from datastore.mvcc.model import DeleteRange, Put
from tests.datastore.core import Core

Query = Callable[[str], list[Any]]

PLACES = [
    (b"/registry/pods/default/web", "pods", "default", "web"),
    (b"/registry/minions/node-1", "nodes", None, "node-1"),
    (b"/registry/namespaces/default", "namespaces", None, "default"),
    (b"/registry/services/specs/default/web", "services", "default", "web"),
    (b"/registry/services/endpoints/default/web", "endpoints", "default", "web"),
    (b"/registry/controllers/default/web", "replicationcontrollers", "default", "web"),
    (b"/registry/deployments/kube-system/dns", "deployments", "kube-system", "dns"),
    (b"/registry/clusterroles/system:node", "clusterroles", None, "system:node"),
    (b"/registry/example.com/widgets/ns/one", "widgets", "ns", "one"),
    (b"/registry/example.com/widgets/cluster-wide", "widgets", None, "cluster-wide"),
    (b"/registry/apiregistration.k8s.io/apiservices/v1.apps", "apiservices", None, "v1.apps"),
]
FOREIGN = [
    (b"/registry/pods/default/random", b"\x80\x00\xff\xfe"),
    (b"/registry/pods/default/protobuf", b"k8s\x00\n\x0b\n\x02v1\x12\x03Pod"),
    (b"/registry/pods/default/text", b"not json"),
    (b"/registry/pods/default/half", b'{"a":'),
    (b"/registry/pods/default/empty", b""),
    (b"/registry/pods/default/nul", b'{"a":"\\u0000"}'),
    (b"/registry/pods/default/deep", b"[" * 5_000),
    (b"/registry/pods/\xff\xfe\x80/bad-key", b"{}"),
    (b"/registry/pods/d\x00d/nul-key", b"{}"),
    (b"/registry/", b"{}"),
    (b"/registry/pods", b"{}"),
    (b"/registry//", b"{}"),
    (b"\xff\x00", b"\xff"),
    (b"compact_rev_key", b"42"),
]


@pytest.fixture
def query(core: Core, database: str) -> Query:
    """Run SQL as a person would, beside the store."""

    def run(sql: str) -> list[Any]:
        if database.startswith("sqlite"):
            connection = sqlite3.connect(database.removeprefix("sqlite:///"))
            try:
                return connection.execute(sql).fetchall()
            finally:
                connection.close()
        with psycopg.connect(database) as session:
            return session.execute(sql).fetchall()

    return run


def phase(database: str) -> str:
    """Return the SQL of a pod's phase."""
    if database.startswith("sqlite"):
        return "json_extract(value, '$.status.phase')"
    return "value::jsonb -> 'status' ->> 'phase'"


def test_objects_are_shown_by_their_place(core: Core, query: Query) -> None:
    for key, *_ in PLACES:
        core.commit(Put(key, b'{"kind":"X"}'))

    rows = query("SELECT resource, namespace, name, revision, value FROM objects ORDER BY revision")

    places = [(resource, namespace, name) for _, resource, namespace, name in PLACES]
    assert [row[:3] for row in rows] == places
    assert [row[3] for row in rows] == list(range(2, 2 + len(PLACES)))
    assert {row[4] for row in rows} == {'{"kind":"X"}'}


def test_values_are_queried_as_json(core: Core, query: Query, database: str) -> None:
    for name, state in ((b"a", "Running"), (b"b", "Pending")):
        value = json.dumps({"status": {"phase": state}, "note": "é✓"}, ensure_ascii=False)
        core.commit(Put(b"/registry/pods/default/" + name, value.encode()))

    rows = query(f"SELECT {phase(database)} FROM objects WHERE resource = 'pods' ORDER BY name")

    assert rows == [("Running",), ("Pending",)]


def test_foreign_keys_and_values_break_no_query(core: Core, query: Query, database: str) -> None:
    core.commit(Put(b"/registry/pods/default/good", b'{"status":{"phase":"Running"}}'))
    for key, value in FOREIGN:
        core.commit(Put(key, value))

    phases = query(f"SELECT name, {phase(database)} FROM objects WHERE resource = 'pods'")
    keys = query("SELECT key, size FROM keys")

    assert ("good", "Running") in phases
    assert {found for name, found in phases if name != "good"} == {None}
    assert len(keys) == len(FOREIGN) + 1
    assert ("compact_rev_key", 2) in keys


def test_deleted_and_old_objects_are_not_shown(core: Core, query: Query) -> None:
    core.commit(Put(b"/registry/pods/ns/a", b"1"), Put(b"/registry/pods/ns/a", b"2"))
    core.commit(Put(b"/registry/pods/ns/b", b"1"))
    core.commit(DeleteRange(b"/registry/pods/ns/b"))

    assert query("SELECT name, revision, value FROM objects") == [("a", 3, "2")]
    assert query("SELECT key, revision, version FROM keys") == [("/registry/pods/ns/a", 3, 2)]
