"""KV/Txn: the branch taken, its operations in order, and their answers."""

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client
from tests.contract.requests import Delete, If, Put, Range, Txn

pytestmark = pytest.mark.every_front


def header(revision: int) -> pb.ResponseHeader:
    """The header of an answer inside a txn: only the revision."""
    return pb.ResponseHeader(revision=revision)


async def test_success_runs_when_the_comparisons_hold(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.txn([If("x", "mod", "=", 0)], [Put("x", b"yes")], [Put("x", b"no")])

    assert (answer.succeeded, answer.header.revision) == (True, base + 1)
    assert (await etcd.range("x")).kvs[0].value == b"yes"


async def test_failure_runs_when_one_does_not(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.txn([If("x", "mod", ">", 0)], [Put("x", b"yes")], [Put("x", b"no")])

    assert (answer.succeeded, answer.header.revision) == (False, base + 1)
    assert (await etcd.range("x")).kvs[0].value == b"no"


async def test_what_is_compared_need_not_be_what_is_put(etcd: Client) -> None:
    base = (await etcd.put("a", b"1")).header.revision

    there = await etcd.txn([If("a", "mod", "=", base)], [Put("b", b"2")])
    missing = await etcd.txn([If("a", "mod", "=", 0)], [Put("c", b"3")], [Range("a")])

    assert (there.succeeded, missing.succeeded) == (True, False)
    assert [kv.value for kv in (await etcd.range("a", "d")).kvs] == [b"1", b"2"]


async def test_answers_of_every_kind_in_order(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("y", b"old")

    answer = await etcd.txn(
        success=[Put("x", b"new"), Range("x"), Range("y"), Delete("y", prev_kv=True)]
    )

    new = etcd.stored("x", b"new", create=base + 2, mod=base + 2)
    old = etcd.stored("y", b"old", create=base + 1, mod=base + 1)
    now = header(base + 2)
    assert answer.succeeded
    assert answer.header.revision == base + 2
    assert list(answer.responses) == [
        pb.ResponseOp(response_put=pb.PutResponse(header=now)),
        pb.ResponseOp(response_range=pb.RangeResponse(header=now, kvs=[new], count=1)),
        pb.ResponseOp(response_range=pb.RangeResponse(header=now, kvs=[old], count=1)),
        pb.ResponseOp(
            response_delete_range=pb.DeleteRangeResponse(header=now, deleted=1, prev_kvs=[old])
        ),
    ]


async def test_headers_inside_follow_what_has_been_changed_so_far(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.txn(
        success=[Range("a"), Delete("missing"), Put("a"), Delete("missing"), Range("missing")]
    )

    before, after = header(base), header(base + 1)
    assert list(answer.responses) == [
        pb.ResponseOp(response_range=pb.RangeResponse(header=before)),
        pb.ResponseOp(response_delete_range=pb.DeleteRangeResponse(header=before)),
        pb.ResponseOp(response_put=pb.PutResponse(header=after)),
        pb.ResponseOp(response_delete_range=pb.DeleteRangeResponse(header=after)),
        pb.ResponseOp(response_range=pb.RangeResponse(header=after)),
    ]


async def test_later_operations_see_earlier_ones(etcd: Client) -> None:
    await etcd.put("k1")
    await etcd.put("k2")

    answer = await etcd.txn(
        success=[
            Delete("k1"),
            Range("k", "l", count_only=True),
            Put("k3", b"3"),
            Range("k", "l"),
            Delete("k2", "k3"),
            Range("k", "l"),
        ]
    )

    assert answer.responses[1].response_range.count == 1
    assert etcd.names(answer.responses[3].response_range.kvs) == ["k2", "k3"]
    assert etcd.names(answer.responses[5].response_range.kvs) == ["k3"]


async def test_an_explicit_revision_reads_the_past_inside_a_txn(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("a", b"1")

    answer = await etcd.txn(success=[Put("a", b"2"), Range("a", revision=base + 1), Range("a")])

    past, now = answer.responses[1].response_range, answer.responses[2].response_range
    assert (past.kvs[0].value, past.header.revision) == (b"1", base + 2)
    assert (now.kvs[0].value, now.kvs[0].version) == (b"2", 2)


async def test_prev_kv_of_puts_inside_a_txn(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("a", b"1")

    answer = await etcd.txn(success=[Put("a", b"2", prev_kv=True), Put("b", b"1", prev_kv=True)])

    before = etcd.stored("a", b"1", create=base + 1, mod=base + 1)
    assert answer.responses[0].response_put.prev_kv == before
    assert not answer.responses[1].response_put.HasField("prev_kv")


async def test_all_changes_have_one_revision(etcd: Client) -> None:
    base = await etcd.revision()

    await etcd.txn(success=[Put("a"), Put("b"), Put("c")])

    answer = await etcd.range("a", "z")
    assert {kv.mod_revision for kv in answer.kvs} == {base + 1}
    assert {kv.create_revision for kv in answer.kvs} == {base + 1}


async def test_reading_only_is_no_revision(etcd: Client) -> None:
    await etcd.put("a", b"1")
    base = await etcd.revision()

    answer = await etcd.txn([If("a", "value", "=", b"1")], [Range("a"), Range("b")])

    assert (answer.succeeded, answer.header.revision) == (True, base)
    assert [op.response_range.count for op in answer.responses] == [1, 0]
    assert await etcd.revision() == base


async def test_deleting_nothing_is_no_revision(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.txn(success=[Delete("a", "z")])

    assert answer.header.revision == base
    assert answer.responses[0].response_delete_range.deleted == 0
    assert await etcd.revision() == base


async def test_nothing_at_all_succeeds(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.txn()

    assert (answer.succeeded, list(answer.responses)) == (True, [])
    assert answer.header.revision == base


async def test_an_empty_branch_is_legal(etcd: Client) -> None:
    answer = await etcd.txn([If("x", "version", ">", 0)], [Put("x")])

    assert (answer.succeeded, list(answer.responses)) == (False, [])


async def test_sub_order_is_the_order_of_execution(etcd: Client) -> None:
    await etcd.put("d1")
    await etcd.put("d2")
    base = await etcd.revision()

    await etcd.txn(success=[Put("z"), Delete("d", "e"), Put("a"), Txn(success=[Put("m")])])

    async with etcd.watch() as watch:
        await watch.create("a", b"\0", start_revision=base + 1)
        response = await watch.next()
    names = etcd.names(event.kv for event in response.events)
    assert names == ["z", "d1", "d2", "a", "m"]


async def test_the_undetected_delete_after_put_leaves_two_changes_of_one_key(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.txn(success=[Put("a", b"1"), Delete("a", b"\0")])

    assert answer.responses[1].response_delete_range.deleted == 1
    assert (await etcd.range("a")).count == 0
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=base + 1)
        response = await watch.next()
    assert [event.type for event in response.events] == [0, 1]
    assert {event.kv.mod_revision for event in response.events} == {base + 1}


async def test_the_undetected_put_after_delete_starts_the_key_again(etcd: Client) -> None:
    await etcd.put("a", b"1")
    await etcd.put("a", b"1")
    base = await etcd.revision()

    await etcd.txn(success=[Delete("a", b"\0"), Put("a", b"2")])

    stored = etcd.stored("a", b"2", create=base + 1, mod=base + 1)
    assert list((await etcd.range("a")).kvs) == [stored]
