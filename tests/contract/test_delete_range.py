"""KV/DeleteRange."""

import pytest

from tests.contract.client import Client, refusal
from tests.contract.refusals import KEY_NOT_PROVIDED


@pytest.mark.parametrize(
    ("key", "end", "deleted"),
    [
        pytest.param("b", b"", ["b"], id="one key"),
        pytest.param("bb", b"", [], id="a missing key"),
        pytest.param("a", "c", ["a", "b"], id="half-open"),
        pytest.param("b", b"\0", ["b", "c", "d"], id="from a key on"),
        pytest.param("b", "b", [], id="end equals key"),
        pytest.param("d", "a", [], id="end before key"),
    ],
)
async def test_range_end_selects_what_is_deleted(
    etcd: Client, key: str, end: str | bytes, deleted: list[str]
) -> None:
    names = ["a", "b", "c", "d"]
    for name in names:
        await etcd.put(name)

    answer = await etcd.delete(key, end)

    left = etcd.names((await etcd.range("a", "z")).kvs)
    assert answer.deleted == len(deleted)
    assert left == sorted(set(names) - set(deleted))


async def test_deleting_many_keys_is_one_revision(etcd: Client) -> None:
    for number in range(5):
        await etcd.put(f"k{number}")
    base = await etcd.revision()

    answer = await etcd.delete("k", "l")

    assert (answer.deleted, answer.header.revision) == (5, base + 1)
    assert await etcd.revision() == base + 1


async def test_deleting_nothing_is_no_revision(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.delete("a", "z", prev_kv=True)

    assert (answer.deleted, list(answer.prev_kvs), answer.header.revision) == (0, [], base)
    assert await etcd.revision() == base


async def test_deleting_twice_deletes_once(etcd: Client) -> None:
    await etcd.put("a")

    assert [(await etcd.delete("a")).deleted for _ in range(2)] == [1, 0]


async def test_prev_kvs_are_whole_and_in_key_order(etcd: Client) -> None:
    lease = await etcd.grant()
    base = await etcd.revision()
    await etcd.put("b", b"2", lease=lease)
    await etcd.put("a", b"1")
    await etcd.put("a", b"1")

    answer = await etcd.delete("a", "z", prev_kv=True)

    assert list(answer.prev_kvs) == [
        etcd.stored("a", b"1", create=base + 2, mod=base + 3, version=2),
        etcd.stored("b", b"2", create=base + 1, mod=base + 1, lease=lease),
    ]


async def test_prev_kvs_are_absent_unless_asked_for(etcd: Client) -> None:
    await etcd.put("a")

    answer = await etcd.delete("a")

    assert (answer.deleted, list(answer.prev_kvs)) == (1, [])


async def test_a_deleted_key_leaves_its_lease(etcd: Client) -> None:
    lease = await etcd.grant()
    await etcd.put("a", lease=lease)
    await etcd.put("b", lease=lease)

    await etcd.delete("a")

    assert await etcd.lease_keys(lease) == ["b"]


async def test_the_past_still_shows_a_deleted_key(etcd: Client) -> None:
    put = await etcd.put("a", b"1")

    await etcd.delete("a")

    assert (await etcd.range("a")).count == 0
    past = await etcd.range("a", revision=put.header.revision)
    assert past.kvs[0].value == b"1"


async def test_deleting_a_thousand_keys_is_one_revision(etcd: Client) -> None:
    await etcd.put_many([f"k{number:04}" for number in range(1000)])
    base = await etcd.revision()

    answer = await etcd.delete("k", "l", prev_kv=True)

    assert (answer.deleted, len(answer.prev_kvs)) == (1000, 1000)
    assert answer.header.revision == base + 1
    assert (await etcd.range("k", "l", count_only=True)).count == 0


@pytest.mark.parametrize("end", [pytest.param(b"", id="alone"), pytest.param(b"\0", id="range")])
async def test_no_key_is_refused(etcd: Client, end: bytes) -> None:
    assert await refusal(etcd.delete("", end)) == KEY_NOT_PROVIDED
