"""KV/Compact, and what is left to read afterwards."""

import pytest

from tests.contract.client import Client, refusal
from tests.contract.refusals import COMPACTED, FUTURE_REVISION
from tests.contract.requests import Delete, Put

BOTH = pytest.mark.parametrize(
    "physical", [pytest.param(True, id="physical"), pytest.param(False, id="logical")]
)


async def put_versions(etcd: Client, name: str, count: int) -> int:
    """Put values b"1", b"2"... and return the revision before the first."""
    base = await etcd.revision()
    for version in range(1, count + 1):
        await etcd.put(name, b"%d" % version)
    return base


@BOTH
async def test_compaction_is_no_revision(etcd: Client, physical: bool) -> None:
    base = await put_versions(etcd, "a", 3)

    answer = await etcd.compact(base + 2, physical)

    assert answer.header.revision == base + 3
    assert await etcd.revision() == base + 3


@BOTH
async def test_reads_below_are_compacted_and_reads_at_it_are_not(
    etcd: Client, physical: bool
) -> None:
    base = await put_versions(etcd, "a", 4)

    await etcd.compact(base + 3, physical)

    assert await refusal(etcd.range("a", revision=base + 2)) == COMPACTED
    assert await refusal(etcd.range("a", revision=1)) == COMPACTED
    values = [(await etcd.range("a", revision=base + at)).kvs[0].value for at in (3, 4, 0 - base)]
    assert values == [b"3", b"4", b"4"]


async def test_the_newest_put_of_each_key_survives(etcd: Client) -> None:
    base = await put_versions(etcd, "a", 2)
    await etcd.put("b", b"b")
    await etcd.put("c", b"c")
    await etcd.delete("c")
    await etcd.put("a", b"3")

    await etcd.compact(base + 5)

    at_five = await etcd.range("a", "z", revision=base + 5)
    assert list(at_five.kvs) == [
        etcd.stored("a", b"2", create=base + 1, mod=base + 2, version=2),
        etcd.stored("b", b"b", create=base + 3, mod=base + 3),
    ]
    assert (await etcd.range("a")).kvs[0].version == 3


async def test_a_key_deleted_before_can_be_created_again(etcd: Client) -> None:
    base = await put_versions(etcd, "a", 2)
    await etcd.delete("a")
    await etcd.put("b")
    await etcd.compact(base + 4)

    await etcd.put("a", b"again")

    stored = etcd.stored("a", b"again", create=base + 5, mod=base + 5)
    assert list((await etcd.range("a")).kvs) == [stored]


async def test_versions_go_on_counting(etcd: Client) -> None:
    base = await put_versions(etcd, "a", 3)
    await etcd.compact(base + 3)

    await etcd.put("a", b"4")

    stored = etcd.stored("a", b"4", create=base + 1, mod=base + 4, version=4)
    assert list((await etcd.range("a")).kvs) == [stored]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param(2, 2, COMPACTED, id="the same again"),
        pytest.param(2, 1, COMPACTED, id="an older one"),
        pytest.param(1, 4, FUTURE_REVISION, id="a future one"),
        pytest.param(1, 1000, FUTURE_REVISION, id="far in the future"),
    ],
)
async def test_refused_compactions(etcd: Client, first: int, second: int, expected: object) -> None:
    base = await put_versions(etcd, "a", 3)
    await etcd.compact(base + first)

    assert await refusal(etcd.compact(base + second)) == expected


async def test_compactions_follow_each_other(etcd: Client) -> None:
    base = await put_versions(etcd, "a", 5)

    for at in range(1, 6):
        await etcd.compact(base + at)

    assert await refusal(etcd.range("a", revision=base + 4)) == COMPACTED
    assert (await etcd.range("a", revision=base + 5)).kvs[0].value == b"5"


async def test_the_current_revision_can_be_compacted(etcd: Client) -> None:
    base = await put_versions(etcd, "a", 2)

    await etcd.compact(base + 2)

    assert (await etcd.range("a", revision=base + 2)).kvs[0].value == b"2"


@pytest.mark.own_server
async def test_before_the_first_compaction_0_is_one_and_negatives_are_compacted(
    etcd: Client,
) -> None:
    assert await refusal(etcd.compact(-1)) == COMPACTED
    assert (await etcd.compact(0)).header.revision == 1
    assert await refusal(etcd.compact(0)) == COMPACTED


async def test_prev_kv_of_a_delete_is_there_after_compaction_of_its_put(etcd: Client) -> None:
    base = await put_versions(etcd, "a", 2)
    await etcd.compact(base + 2)

    answer = await etcd.delete("a", prev_kv=True)

    before = etcd.stored("a", b"2", create=base + 1, mod=base + 2, version=2)
    assert list(answer.prev_kvs) == [before]


async def test_leases_survive(etcd: Client) -> None:
    lease = await etcd.grant()
    base = await etcd.revision()
    await etcd.put("a", b"1", lease=lease)
    await etcd.put("a", b"2", lease=lease)
    await etcd.put("b", b"3", lease=lease)

    await etcd.compact(base + 3)

    assert await etcd.lease_keys(lease) == ["a", "b"]


async def test_more_rows_than_one_step_of_compaction_takes(etcd: Client) -> None:
    for number in range(5):
        await etcd.put_many([f"k{number}"] * 500)
        await etcd.put(f"k{number}", b"last")
    revision = await etcd.revision()

    await etcd.compact(revision)

    kvs = (await etcd.range("k", "l", revision=revision)).kvs
    assert [(kv.value, kv.version) for kv in kvs] == [(b"last", 501)] * 5


@pytest.mark.ours_only("a real etcd loses the key, and ends at the next read")
async def test_a_compaction_keeps_what_its_revision_deleted_and_put_again(etcd: Client) -> None:
    await etcd.put("k1", b"1")
    await etcd.put("k2", b"1")
    again = await etcd.txn(success=[Delete("k1", b"\0"), Put("k1", b"2")])
    await etcd.compact(again.header.revision, physical=True)

    found = await etcd.range("k1", b"\0")

    assert [(kv.key[-2:], kv.value, kv.version) for kv in found.kvs] == [(b"k1", b"2", 1)]
    await etcd.put("k1", b"3")
    await etcd.compact(again.header.revision + 1, physical=True)
    assert (await etcd.range("k1")).kvs[0].value == b"3"
