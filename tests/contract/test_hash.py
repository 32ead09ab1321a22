"""Maintenance/Hash and HashKV: equal to a real etcd's is what the differential test asks for."""

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, refusal
from tests.contract.refusals import COMPACTED, FUTURE_REVISION
from tests.contract.requests import Delete, Put

# What a real etcd 3.6.14 says of the histories below, at revisions -1 and 2 to 6.
KNOWN = [1084519789, 2587454935, 535221974, 3785861384, 1491583868, 1190719004]
KNOWN_COMPACTED = [1973445512, 2378655562, 1973445512]  # at 0 (which is 7), 6 and 7
KNOWN_ALL_DELETED = 773617873
KNOWN_MADE_AGAIN = [4129444164, 2058947468]  # at 6, which deletes all and puts a key again; at 7


async def hash_kv(etcd: Client, revision: int = 0) -> pb.HashKVResponse:
    """Ask for the hash of the key space."""
    request = pb.HashKVRequest(revision=revision)
    answer: pb.HashKVResponse = await etcd.send(etcd.maintenance.HashKV, request)
    return answer


async def hash_all(etcd: Client) -> pb.HashResponse:
    """Ask for the hash of everything."""
    answer: pb.HashResponse = await etcd.send(etcd.maintenance.Hash, pb.HashRequest())
    return answer


@pytest.mark.own_server
async def test_an_empty_store(etcd: Client) -> None:
    answer = await hash_kv(etcd)

    assert (answer.header.revision, answer.compact_revision) == (1, -1)
    assert answer.hash == (await hash_kv(etcd, -7)).hash


@pytest.mark.own_server
async def test_a_known_history_has_a_known_hash(etcd: Client) -> None:
    await etcd.put(b"a", b"1")
    await etcd.put(b"a", b"2")
    await etcd.put(b"b", b"")
    await etcd.delete(b"a")
    await etcd.txn((), (Put(b"c", b"\0\xff"), Delete(b"b")))

    found = [(await hash_kv(etcd, revision)).hash for revision in (-1, 2, 3, 4, 5, 6)]

    assert found == KNOWN
    assert (await hash_kv(etcd)).hash == KNOWN[-1]


@pytest.mark.own_server
async def test_a_known_compacted_history_has_a_known_hash(etcd: Client) -> None:
    await etcd.put(b"a", b"1")
    await etcd.put(b"a", b"2")
    await etcd.put(b"b", b"3")
    await etcd.delete(b"a")
    await etcd.put(b"c", b"4")
    await etcd.put(b"b", b"5")
    await etcd.compact(5)

    found = [(await hash_kv(etcd, revision)).hash for revision in (0, 6, 7)]

    assert found == KNOWN_COMPACTED
    await etcd.delete(b"\0", b"\0")
    assert (await hash_kv(etcd)).hash == KNOWN_ALL_DELETED


@pytest.mark.own_server
async def test_a_key_that_is_deleted_and_put_by_one_revision_is_not_live_at_it(
    etcd: Client,
) -> None:
    await etcd.put(b"a", b"1")
    await etcd.put(b"b", b"2")
    await etcd.put(b"a", b"3")
    await etcd.put(b"b", b"4")
    await etcd.compact(4)
    await etcd.txn((), (Delete(b"a", b"\0"), Put(b"a", b"5")))
    at_it = await hash_kv(etcd)
    await etcd.put(b"c", b"6")

    assert [at_it.hash, (await hash_kv(etcd)).hash] == KNOWN_MADE_AGAIN


async def test_the_fields(etcd: Client) -> None:
    base = await etcd.revision()
    for _ in range(5):
        await etcd.put("a")
    await etcd.compact(base + 2)

    answer = await hash_kv(etcd, base + 4)

    assert (answer.header.revision, answer.compact_revision) == (base + 5, base + 2)
    assert answer.header.cluster_id != 0 != answer.header.member_id


@pytest.mark.etcd_since("3.6")
async def test_the_revision_hashed(etcd: Client) -> None:
    first = (await etcd.put("a")).header.revision
    last = (await etcd.put("a")).header.revision

    asked = [(await hash_kv(etcd, revision)).hash_revision for revision in (0, first, last, -4)]

    assert asked == [last, first, last, -4]


async def test_revisions_that_cannot_be_hashed(etcd: Client) -> None:
    base = await etcd.revision()
    for _ in range(5):
        await etcd.put("a")
    await etcd.compact(base + 3)

    assert await refusal(hash_kv(etcd, base + 2)) == COMPACTED
    assert await refusal(hash_kv(etcd, base + 6)) == FUTURE_REVISION


async def test_a_write_changes_both_hashes(etcd: Client) -> None:
    await etcd.put("a", b"1")
    before, all_before = await hash_kv(etcd), await hash_all(etcd)
    revision = (await etcd.put("a", b"1")).header.revision

    assert (await hash_kv(etcd)).hash != before.hash
    after = await hash_all(etcd)
    assert after.hash != all_before.hash
    assert after.header.revision == revision


async def test_the_past_keeps_its_hash(etcd: Client) -> None:
    revision = (await etcd.put("a", b"1")).header.revision
    before = await hash_kv(etcd, revision)
    await etcd.put("a", b"2")
    await etcd.delete("a")

    assert (await hash_kv(etcd, revision)).hash == before.hash
