"""KV/Range: which keys, at which revision, how many."""

from typing import Any

import pytest

from tests.contract.client import Client, Refusal, refusal
from tests.contract.refusals import FUTURE_REVISION, KEY_NOT_PROVIDED

pytestmark = pytest.mark.every_front


async def put_all(etcd: Client, *names: str) -> int:
    """Put the names in order with their own name as value; return the revision before the first."""
    base = await etcd.revision()
    for name in names:
        await etcd.put(name, name.encode())
    return base


async def test_an_empty_range_has_no_kvs_and_count_0(etcd: Client) -> None:
    answer = await etcd.range("a", "z")

    assert (list(answer.kvs), answer.more, answer.count) == ([], False, 0)


@pytest.mark.parametrize(
    ("key", "end", "expected"),
    [
        pytest.param("b", b"", ["b"], id="one key"),
        pytest.param("bb", b"", [], id="one missing key"),
        pytest.param("a", "c", ["a", "b"], id="half-open"),
        pytest.param("aa", "c", ["b"], id="bounds that do not exist"),
        pytest.param("b", "b\0", ["b"], id="up to the next possible key"),
        pytest.param("c", b"\0", ["c", "ca", "d"], id="from a key on"),
        pytest.param("c", "d", ["c", "ca"], id="prefix"),
        pytest.param("b", "b", [], id="end equals key"),
        pytest.param("c", "a", [], id="end before key"),
        pytest.param("x", "z", [], id="nothing there"),
    ],
)
async def test_range_end_selects_keys(
    etcd: Client, key: str, end: str | bytes, expected: list[str]
) -> None:
    await put_all(etcd, "d", "b", "ca", "a", "c")

    answer = await etcd.range(key, end)

    assert etcd.names(answer.kvs) == expected
    assert (answer.count, answer.more) == (len(expected), False)


@pytest.mark.own_server
async def test_zero_to_zero_is_everything_in_order_of_bytes(etcd: Client) -> None:
    keys = [
        b"\0",
        b"\0\0",
        b"A",
        b"a",
        b"a\0",
        b"a\0b",
        b"a/",
        b"aa",
        b"\x7f",
        b"\x80",
        b"\xff",
        b"\xff\xff",
    ]
    for key in reversed(keys):
        await etcd.put(key)

    answer = await etcd.range(b"\0", b"\0")

    assert [kv.key for kv in answer.kvs] == keys
    assert [kv.key for kv in (await etcd.range(b"\xff", b"\0")).kvs] == keys[-2:]
    assert [kv.key for kv in (await etcd.range(b"a", b"b")).kvs] == keys[3:8]


@pytest.mark.parametrize(
    ("fields", "expected", "more", "count"),
    [
        pytest.param({"limit": 2}, ["k1", "k2"], True, 4, id="limit below"),
        pytest.param({"limit": 4}, ["k1", "k2", "k3", "k4"], False, 4, id="limit exact"),
        pytest.param({"limit": 5}, ["k1", "k2", "k3", "k4"], False, 4, id="limit above"),
        pytest.param({"limit": 0}, ["k1", "k2", "k3", "k4"], False, 4, id="no limit"),
        pytest.param({"limit": -1}, ["k1", "k2", "k3", "k4"], False, 4, id="negative limit"),
        pytest.param({"count_only": True}, [], False, 4, id="count only"),
        pytest.param({"count_only": True, "limit": 1}, [], False, 4, id="count ignores limit"),
        pytest.param({"serializable": True, "limit": 1}, ["k1"], True, 4, id="serializable"),
    ],
)
async def test_limit_and_count(
    etcd: Client, fields: dict[str, Any], expected: list[str], more: bool, count: int
) -> None:
    await put_all(etcd, "k1", "k2", "k3", "k4")

    answer = await etcd.range("k", "l", **fields)

    assert (etcd.names(answer.kvs), answer.more, answer.count) == (expected, more, count)


async def test_pages_pinned_to_the_first_revision_see_no_later_write(etcd: Client) -> None:
    await put_all(etcd, "k1", "k2", "k3")

    first = await etcd.range("k", "l", limit=2)
    await put_all(etcd, "k1", "k25", "k3")
    await etcd.delete("k3")
    rest = await etcd.range("k2\0", "l", limit=2, revision=first.header.revision)

    assert (etcd.names(first.kvs), first.more, first.count) == (["k1", "k2"], True, 3)
    assert (etcd.names(rest.kvs), rest.more, rest.count) == (["k3"], False, 1)


async def test_keys_only_blanks_the_values_and_nothing_else(etcd: Client) -> None:
    lease = await etcd.grant()
    base = await etcd.revision()
    await etcd.put("a", b"1")
    await etcd.put("a", b"2", lease=lease)
    await etcd.put("b", b"3")

    answer = await etcd.range("a", "z", keys_only=True)

    assert list(answer.kvs) == [
        etcd.stored("a", b"", create=base + 1, mod=base + 2, version=2, lease=lease),
        etcd.stored("b", b"", create=base + 3, mod=base + 3),
    ]
    assert answer.count == 2


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(1, [("a", b"a", 1)], id="after the first put"),
        pytest.param(2, [("a", b"a", 1), ("b", b"b", 1)], id="after the second"),
        pytest.param(3, [("a", b"new", 2), ("b", b"b", 1)], id="after an update"),
        pytest.param(4, [("a", b"new", 2)], id="after a delete"),
        pytest.param(5, [("a", b"new", 2), ("b", b"again", 1)], id="after a re-creation"),
    ],
)
async def test_a_past_revision_shows_the_keys_of_then(
    etcd: Client, at: int, expected: list[tuple[str, bytes, int]]
) -> None:
    base = await put_all(etcd, "a", "b")
    await etcd.put("a", b"new")
    await etcd.delete("b")
    await etcd.put("b", b"again")

    answer = await etcd.range("a", "z", revision=base + at)

    seen = [
        (name, kv.value, kv.version)
        for name, kv in zip(etcd.names(answer.kvs), answer.kvs, strict=True)
    ]
    assert seen == expected
    assert answer.count == len(expected)
    assert answer.header.revision == base + 5


async def test_a_past_revision_counts_the_keys_of_then(etcd: Client) -> None:
    base = await put_all(etcd, "a", "b", "c")

    answer = await etcd.range("a", "z", revision=base + 2, limit=1)
    counted = await etcd.range("a", "z", revision=base + 2, count_only=True)

    assert (etcd.names(answer.kvs), answer.more, answer.count) == (["a"], True, 2)
    assert (list(counted.kvs), counted.more, counted.count) == ([], False, 2)


async def test_a_negative_revision_is_now(etcd: Client) -> None:
    await put_all(etcd, "a")

    answer = await etcd.range("a", revision=-1)

    assert etcd.names(answer.kvs) == ["a"]


async def test_a_past_revision_of_one_key_with_many_versions(etcd: Client) -> None:
    base = await etcd.revision()
    for version in range(1, 31):
        await etcd.put("a", b"%d" % version)

    answers = [await etcd.range("a", revision=base + version) for version in (1, 15, 30)]

    assert [answer.kvs[0].value for answer in answers] == [b"1", b"15", b"30"]
    assert [answer.kvs[0].version for answer in answers] == [1, 15, 30]


@pytest.mark.parametrize(
    ("key", "ahead", "expected"),
    [
        pytest.param("", 0, KEY_NOT_PROVIDED, id="no key"),
        pytest.param("", 5, KEY_NOT_PROVIDED, id="no key comes before the revision"),
        pytest.param("a", 1, FUTURE_REVISION, id="the next revision"),
        pytest.param("a", 1000, FUTURE_REVISION, id="far in the future"),
    ],
)
async def test_refused_ranges(etcd: Client, key: str, ahead: int, expected: Refusal) -> None:
    revision = await etcd.revision()

    assert await refusal(etcd.range(key, revision=revision + ahead)) == expected


async def test_no_key_with_an_end_is_refused(etcd: Client) -> None:
    assert await refusal(etcd.range("", b"\0")) == KEY_NOT_PROVIDED


async def test_answers_may_be_larger_than_4_mib(etcd: Client) -> None:
    for number in range(6):
        await etcd.put(f"k{number}", bytes([number]) * 1_000_000)

    answer = await etcd.range("k", "l")

    assert [kv.value[:1] for kv in answer.kvs] == [bytes([number]) for number in range(6)]
    assert sum(len(kv.value) for kv in answer.kvs) == 6_000_000


async def test_the_largest_limit_is_no_limit(etcd: Client) -> None:
    await put_all(etcd, "a", "b")

    several = await etcd.range("a", "c", limit=2**63 - 1)
    one = await etcd.range("a", "a\0", limit=2**63 - 1)

    assert (etcd.names(several.kvs), several.more, several.count) == (["a", "b"], False, 2)
    assert (etcd.names(one.kvs), one.more, one.count) == (["a"], False, 1)
