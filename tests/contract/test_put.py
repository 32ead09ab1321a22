"""KV/Put."""

from typing import Any

import pytest

from tests.contract.client import Client, Refusal, refusal
from tests.contract.refusals import (
    KEY_NOT_FOUND,
    KEY_NOT_PROVIDED,
    LEASE_NOT_FOUND,
    LEASE_PROVIDED,
    VALUE_PROVIDED,
)
from tests.contract.requests import If, Put

pytestmark = pytest.mark.every_front


async def test_each_put_is_the_next_revision(etcd: Client) -> None:
    base = await etcd.revision()

    revisions = [(await etcd.put(name, b"v")).header.revision for name in ("a", "b", "a")]

    assert revisions == [base + 1, base + 2, base + 3]


async def test_first_put_of_a_key_creates_version_1(etcd: Client) -> None:
    base = await etcd.revision()

    await etcd.put("a", b"v")

    answer = await etcd.range("a")
    assert list(answer.kvs) == [etcd.stored("a", b"v", create=base + 1, mod=base + 1)]


async def test_second_put_keeps_create_revision_and_counts_the_version(etcd: Client) -> None:
    base = await etcd.revision()

    await etcd.put("a", b"1")
    await etcd.put("a", b"2")

    answer = await etcd.range("a")
    stored = etcd.stored("a", b"2", create=base + 1, mod=base + 2, version=2)
    assert list(answer.kvs) == [stored]


async def test_same_value_again_is_a_write(etcd: Client) -> None:
    base = await etcd.revision()

    await etcd.put("a", b"same")
    await etcd.put("a", b"same")

    answer = await etcd.range("a")
    stored = etcd.stored("a", b"same", create=base + 1, mod=base + 2, version=2)
    assert list(answer.kvs) == [stored]


async def test_a_deleted_key_starts_again_at_version_1(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("a", b"1")
    await etcd.put("a", b"2")
    await etcd.delete("a")

    await etcd.put("a", b"3")

    answer = await etcd.range("a")
    assert list(answer.kvs) == [etcd.stored("a", b"3", create=base + 4, mod=base + 4)]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0", id="zero byte"),
        pytest.param(bytes(range(256)), id="all bytes"),
        pytest.param(b"\xff\xfe not utf-8", id="not utf-8"),
        pytest.param(b"x" * 1_000_000, id="1 MB"),
    ],
)
async def test_values_are_any_bytes(etcd: Client, value: bytes) -> None:
    await etcd.put("a", value)

    assert (await etcd.range("a")).kvs[0].value == value


@pytest.mark.parametrize(
    "suffix",
    [
        pytest.param(b"\0", id="zero byte"),
        pytest.param(b"\0\0", id="two zero bytes"),
        pytest.param(b"a\0b", id="zero byte inside"),
        pytest.param(b"\xff", id="ff"),
        pytest.param(bytes(range(256)), id="all bytes"),
        pytest.param(b"%_'\"\\;--", id="what SQL quotes"),
        pytest.param(b"^[a-c]*.", id="what patterns quote"),
        pytest.param(b"007", id="what a number could be"),
        pytest.param(" \u00e9\u4e16".encode(), id="utf-8"),
        pytest.param(b"Case", id="upper case"),
        pytest.param(b"k" * 1000, id="1000 bytes"),
    ],
)
async def test_keys_are_any_bytes(etcd: Client, suffix: bytes) -> None:
    key = etcd.key("k") + suffix

    await etcd.put(key, b"v")

    answer = await etcd.range(key)
    assert [(kv.key, kv.value) for kv in answer.kvs] == [(key, b"v")]


async def test_keys_that_differ_only_in_case_or_trailing_zero_are_different(etcd: Client) -> None:
    names = [etcd.key("k"), etcd.key("K"), etcd.key("k\0"), etcd.key("k ")]

    for name in names:
        await etcd.put(name, name)

    assert [(await etcd.range(name)).kvs[0].value for name in names] == names


async def test_a_key_is_no_pattern_and_no_number(etcd: Client) -> None:
    for name in ("kx", "x/7", "x/100000"):
        await etcd.put(name)

    for name in ("k_", "k%", "k?", "k*", "kX", "x/07", "x/7.0", "x/1e5", "x/"):
        assert (await etcd.range(name)).count == 0
        assert (await etcd.delete(name)).deleted == 0
        created = await etcd.txn([If(name, "create", "=", 0)], [Put(name, b"new")])
        assert created.succeeded
    assert etcd.names((await etcd.range("k_", "k`")).kvs) == ["k_"]
    assert (await etcd.range("x/", "x0", count_only=True)).count == 6


async def test_prev_kv_returns_the_whole_key_value_before(etcd: Client) -> None:
    lease = await etcd.grant()
    base = await etcd.revision()
    await etcd.put("a", b"1", lease=lease)

    answer = await etcd.put("a", b"2", prev_kv=True)

    before = etcd.stored("a", b"1", create=base + 1, mod=base + 1, lease=lease)
    assert answer.prev_kv == before


@pytest.mark.parametrize(
    "prev_kv", [pytest.param(True, id="asked"), pytest.param(False, id="not asked")]
)
async def test_prev_kv_of_a_new_key_is_absent(etcd: Client, prev_kv: bool) -> None:
    answer = await etcd.put("a", b"1", prev_kv=prev_kv)

    assert not answer.HasField("prev_kv")


async def test_prev_kv_is_absent_unless_asked_for(etcd: Client) -> None:
    await etcd.put("a", b"1")

    answer = await etcd.put("a", b"2")

    assert not answer.HasField("prev_kv")


async def test_prev_kv_of_a_deleted_key_is_absent(etcd: Client) -> None:
    await etcd.put("a", b"1")
    await etcd.delete("a")

    answer = await etcd.put("a", b"2", prev_kv=True)

    assert not answer.HasField("prev_kv")


async def test_ignore_value_keeps_the_value_and_changes_the_lease(etcd: Client) -> None:
    lease = await etcd.grant()
    base = await etcd.revision()
    await etcd.put("a", b"kept")

    await etcd.put("a", lease=lease, ignore_value=True)

    stored = etcd.stored("a", b"kept", create=base + 1, mod=base + 2, version=2, lease=lease)
    assert list((await etcd.range("a")).kvs) == [stored]


async def test_ignore_lease_keeps_the_lease_and_changes_the_value(etcd: Client) -> None:
    lease = await etcd.grant()
    base = await etcd.revision()
    await etcd.put("a", b"1", lease=lease)

    await etcd.put("a", b"2", ignore_lease=True)

    stored = etcd.stored("a", b"2", create=base + 1, mod=base + 2, version=2, lease=lease)
    assert list((await etcd.range("a")).kvs) == [stored]
    assert await etcd.lease_keys(lease) == ["a"]


async def test_ignore_both_is_a_new_version_of_the_same(etcd: Client) -> None:
    lease = await etcd.grant()
    base = await etcd.revision()
    await etcd.put("a", b"1", lease=lease)

    await etcd.put("a", ignore_value=True, ignore_lease=True)

    stored = etcd.stored("a", b"1", create=base + 1, mod=base + 2, version=2, lease=lease)
    assert list((await etcd.range("a")).kvs) == [stored]


@pytest.mark.parametrize(
    ("key", "fields", "expected"),
    [
        pytest.param("", {}, KEY_NOT_PROVIDED, id="no key"),
        pytest.param(
            "", {"value": b"v", "ignore_value": True}, KEY_NOT_PROVIDED, id="no key comes first"
        ),
        pytest.param("a", {"value": b"v", "ignore_value": True}, VALUE_PROVIDED, id="a value"),
        pytest.param("a", {"lease": 5, "ignore_lease": True}, LEASE_PROVIDED, id="a lease"),
        pytest.param(
            "a",
            {"value": b"v", "lease": 5, "ignore_value": True, "ignore_lease": True},
            VALUE_PROVIDED,
            id="a value comes before a lease",
        ),
        pytest.param("a", {"lease": 404}, LEASE_NOT_FOUND, id="unknown lease"),
        pytest.param("a", {"lease": -404}, LEASE_NOT_FOUND, id="unknown negative lease"),
        pytest.param("a", {"ignore_value": True}, KEY_NOT_FOUND, id="no value to keep"),
        pytest.param("a", {"ignore_lease": True}, KEY_NOT_FOUND, id="no lease to keep"),
        pytest.param(
            "a",
            {"lease": 404, "ignore_value": True},
            LEASE_NOT_FOUND,
            id="unknown lease comes before missing key",
        ),
    ],
)
async def test_refused_puts_write_nothing(
    etcd: Client, key: str, fields: dict[str, Any], expected: Refusal
) -> None:
    base = await etcd.revision()

    refused = await refusal(etcd.put(key, **fields))

    assert refused == expected
    assert await etcd.revision() == base
    assert (await etcd.range("a")).count == 0


async def test_ignore_value_of_a_deleted_key_is_key_not_found(etcd: Client) -> None:
    await etcd.put("a", b"1")
    await etcd.delete("a")

    assert await refusal(etcd.put("a", ignore_value=True)) == KEY_NOT_FOUND
