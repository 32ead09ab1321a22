"""The views for people: what they show, and that no value breaks them."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from random import Random
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest

from datastore.mvcc.model import DeleteRange, Put
from tests.datastore.core import Core

Query = Callable[[str], list[Any]]
DATABASES = ("sqlite", "postgresql", "mysql")
BYTES = bytes([0, 1, 7, 10, 18, 34, 92, 117, 0x7B, 0x7F, 0x80, 0xBF, 0xC3, 0xE2, 0xED, 0xF0, 0xFF])

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
    (b"/registry/pods/\xff\xfe\x80/bad-key", b"{}"),
    (b"/registry/pods/d\x00d/nul-key", b"{}"),
    (b"/registry/pods/\x1b[2J/escape-key", b"{}"),
    (b"/registry/pods/\xed\xa0\x80/surrogate-key", b"{}"),
    (b"/registry/", b"{}"),
    (b"/registry/pods", b"{}"),
    (b"/registry//", b"{}"),
    (b"/registry/pods/", b"{}"),
    (b"/registry/.", b"{}"),
    (b"/registry/services/specs/", b"{}"),
    (b"\xff\x00", b"\xff"),
    (b"compact_rev_key", b"42"),
]
POD = b"\n\x02v1\x12\x03Pod"
ENVELOPES = {  # (value, its version and kind)
    "pod": (
        b"k8s\x00\n" + bytes([len(POD)]) + POD + b"\x12\x0d\n\x0b\n\x03web\xff\x80",
        "v1",
        "Pod",
    ),
    "empty": (b"k8s\x00", None, None),
    "half": (b"k8s\x00\n\x0b\n\x02v1\x12", "v1", None),
    "other-fields": (b"k8s\x00\x12\x0b\x1a\x02v1", None, None),
    "long-length": (b"k8s\x00\n\xff\xff\xff\x0f\n\xff\x7f", None, None),
    "random": (b"k8s\x00\n\x0b\n\x02\xff\x00\x12\x02\xfe\n", None, None),
}
NOT_JSON = {
    "random": b"\x80\x00\xff\xfe",
    "text": b"not json",
    "half": b'{"a":',
    "empty": b"",
    "two": b"{} {}",
    "python": b"{'a': 1}",
    "comma": b'{"a": 1,}',
    "nul": b'{"a":1}\x00',
    "control": b'{"a":"\x01"}',
    "byte": b'{"a":"\xff"}',
    "stray": b'{"a":"\xc3\xa9\xa9"}',
    "overlong": b'{"a":"\xc0\xaf"}',
    "surrogate": b'{"a":"\xed\xa0\x80"}',
    "half-pair": b'{"a":"\\ud83d"}',
    "second-half": b'{"\\udc00":1}',
    "deep": b"[" * 100_000,
    "deep-and-closed": b"[" * 100_000 + b"]" * 100_000,
    "encrypted": b"k8s:enc:aescbc:v1:key1:\x01\x02\xff",
}
JSON = {
    "pair": b'{"kind":"\\ud83d\\ude00"}',
    "backslash": b'{"kind":"\\\\ud83d"}',
    "utf-8": '{"kind":"é✓😀\U0010ffff"}'.encode(),
    "huge": b'{"kind":"' + b"x" * 2_000_000 + b'"}',
    "huge-utf-8": b'{"kind":"' + "é".encode() * 50_000 + b'"}',
    "null": b"null",
    "list": b'["kind"]',
    "string": b'"kind"',
    "number": b"1",
    "odd-kind": b'{"kind":{"kind":1},"apiVersion":null}',
}


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


# MySQL's functions end a query over JSON nested deeper than 100, and over too much to look for.
HOSTILE = {
    "101-levels": nested(101),
    "objects": b'{"a":' * 150 + b"1" + b"}" * 150,
    "ends-in-text": b'["' + b"]" * 200 + b'",' + nested(150) + b"]",
    "ends-after-a-quote": rb'["\"' + b"]" * 200 + b'",' + nested(150) + b"]",
    "text-in-text": rb'["\\",' + nested(150) + b',"' + b"[" * 150 + b'"]',
    "never-ends": b'{"a":' * 150_000,
    "half-a-text": b"[" * 101 + b'"' + b"x" * 500_000,
    "many-texts": nested(60) + b'""' * 200_000,
    "many-ends": b"[" * 101 + b"1]" * 200_000,
    "many-numbers": nested(60) + b"1," * 200_000,
}
MANY_BRACKETS = rb'{"kind":"[\"{","a":[' + rb'{"b":["[{\"]"]},' * 5_000 + nested(60) + b"]}"


pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def query(core: Core, database: str) -> Query:
    """Run SQL as a person would, beside the store."""

    def run(sql: str) -> list[Any]:
        url = urlsplit(database)
        if url.scheme == "sqlite":
            with closing(sqlite3.connect(url.path[1:])) as connection:
                return connection.execute(sql).fetchall()
        if url.scheme == "mysql":
            place = {"host": url.hostname, "port": url.port, "user": url.username}
            with pymysql.connect(**place, database=url.path[1:]) as my, my.cursor() as cursor:
                cursor.execute(sql.replace("keys", "`keys`").replace(" key,", " `key`,"))
                return list(cursor.fetchall())
        with psycopg.connect(database) as session:
            return session.execute(sql).fetchall()

    return run


def phase(database: str) -> str:
    """Return the SQL of a pod's phase."""
    if database.startswith("sqlite"):
        return "json_extract(value, '$.status.phase')"
    if database.startswith("mysql"):
        return "JSON_VALUE(value, '$.status.phase')"
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


def test_foreign_keys_break_no_query(core: Core, query: Query) -> None:
    core.commit(Put(b"/registry/pods/default/good", b"{}"))
    core.commit(Put("/registry/clusterroles/prüfer".encode(), b"{}"))
    for key, value in FOREIGN:
        core.commit(Put(key, value))

    objects = query("SELECT * FROM objects ORDER BY revision")
    keys = query("SELECT * FROM keys")
    changes = query("SELECT * FROM changes")

    assert [row[:3] for row in objects] == [
        ("pods", "default", "good"),
        ("clusterroles", None, "prüfer"),
    ]
    assert len(keys) == len(changes) == len(FOREIGN) + 2
    shown = {row[0] for row in keys}
    assert shown >= {"compact_rev_key", "/registry/clusterroles/prüfer", "x'ff00'"}
    assert shown == {row[2] for row in changes}
    assert not [key for key in shown if not key.isprintable()]


def test_a_value_is_json_or_null(core: Core, query: Query, database: str) -> None:
    for name, value in {**NOT_JSON, **{f"json-{name}": JSON[name] for name in JSON}}.items():
        core.commit(Put(b"/registry/pods/default/" + name.encode(), value))

    rows = query(f"SELECT name, value, encoding, {phase(database)}, kind FROM objects")

    values = {row[0]: row[1] for row in rows}
    assert [name for name in NOT_JSON if values[name] is not None] == []
    assert {name: values[f"json-{name}"] for name in JSON} == {
        name: value.decode() for name, value in JSON.items()
    }
    encodings = {row[0]: row[2] for row in rows}
    assert {encodings[name] for name in NOT_JSON if name != "encrypted"} == {"other"}
    assert {encodings[f"json-{name}"] for name in JSON} == {"json"}
    assert encodings["encrypted"] == "encrypted"
    assert {row[3] for row in rows} == {None}
    kinds = {row[0]: row[4] for row in rows}
    assert kinds["json-pair"] == "😀"
    assert kinds["json-backslash"] == "\\ud83d"
    assert len(kinds["json-huge"]) == 2_000_000


def test_no_nesting_breaks_a_query(core: Core, query: Query, database: str) -> None:
    for name, value in HOSTILE.items():
        core.commit(Put(b"/registry/pods/default/" + name.encode(), value))
    core.commit(Put(b"/registry/pods/default/shown", MANY_BRACKETS))

    rows = query(f"SELECT name, value, {phase(database)}, kind FROM objects")
    changes = query("SELECT value FROM changes")

    assert len(rows) == len(changes) == len(HOSTILE) + 1
    if "mysql" not in database:  # MariaDB reads 31 levels
        assert (MANY_BRACKETS.decode(), '["{') in {(row[1], row[3]) for row in rows}


def test_a_protobuf_value_has_a_version_and_a_kind(core: Core, query: Query) -> None:
    for name, (value, *_) in ENVELOPES.items():
        core.commit(Put(b"/registry/pods/default/" + name.encode(), value))

    rows = query("SELECT name, api_version, kind, value, encoding FROM objects")
    keys = query("SELECT api_version, kind, encoding FROM keys")

    assert {row[0]: row[1:] for row in rows} == {
        name: (version, kind, None, "protobuf") for name, (_, version, kind) in ENVELOPES.items()
    }
    assert sorted(map(str, keys)) == sorted(str((*row[1:3], "protobuf")) for row in rows)


def test_random_values_break_no_query(core: Core, query: Query) -> None:
    random = Random(4)
    pieces = [*NOT_JSON.values(), *(value for value, *_ in ENVELOPES.values()), *JSON.values()]
    pieces = [piece for piece in pieces if len(piece) < 1_000]
    puts = []
    for number in range(300):
        piece = bytearray(random.choice(pieces))
        for _ in range(random.randrange(1, 6)):
            piece.insert(random.randrange(len(piece) + 1), random.choice(BYTES))
        key = b"/registry/pods/" + (b"ns/" if number % 2 else bytes(piece[:20])) + b"%d" % number
        puts.append(Put(key, bytes(piece)))
    core.commit(*puts)

    for view in ("objects", "keys", "changes"):
        assert len(query(f"SELECT * FROM {view}")) >= 150
    for (value,) in query("SELECT value FROM objects WHERE value IS NOT NULL"):
        json.loads(value)


def test_deleted_and_old_objects_are_not_shown(core: Core, query: Query) -> None:
    core.commit(Put(b"/registry/pods/ns/a", b"1"), Put(b"/registry/pods/ns/a", b"2"))
    core.commit(Put(b"/registry/pods/ns/b", b"1"))
    core.commit(DeleteRange(b"/registry/pods/ns/b"))

    assert query("SELECT name, revision, value FROM objects") == [("a", 3, "2")]
    assert query("SELECT key, revision, version FROM keys") == [("/registry/pods/ns/a", 3, 2)]
    assert query("SELECT revision, event, key, value, version FROM changes ORDER BY id") == [
        (2, "create", "/registry/pods/ns/a", "1", 1),
        (3, "update", "/registry/pods/ns/a", "2", 2),
        (4, "create", "/registry/pods/ns/b", "1", 1),
        (5, "delete", "/registry/pods/ns/b", None, 0),
    ]
