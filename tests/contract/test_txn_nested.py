"""KV/Txn: transactions inside transactions."""

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client
from tests.contract.requests import Delete, If, Put, Range, Txn


async def test_a_nested_txn_does_not_see_the_outer_writes_in_its_comparisons(
    etcd: Client,
) -> None:
    inner = Txn(
        compare=[If("a", "value", "=", b"1")],
        success=[Put("b", b"seen")],
        failure=[Put("b", b"not seen")],
    )

    answer = await etcd.txn(success=[Put("a", b"1"), inner])

    assert not answer.responses[1].response_txn.succeeded
    assert (await etcd.range("b")).kvs[0].value == b"not seen"


async def test_its_operations_see_the_outer_writes(etcd: Client) -> None:
    answer = await etcd.txn(success=[Put("a", b"1"), Txn(success=[Range("a")])])

    seen = answer.responses[1].response_txn.responses[0].response_range
    assert seen.kvs[0].value == b"1"


async def test_later_outer_operations_see_its_writes(etcd: Client) -> None:
    answer = await etcd.txn(success=[Txn(success=[Put("a", b"1")]), Range("a")])

    assert answer.responses[1].response_range.kvs[0].value == b"1"


async def test_everything_is_one_revision(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.txn(
        success=[Put("a"), Txn(success=[Put("b"), Txn(success=[Put("c")])]), Put("d")]
    )

    kvs = (await etcd.range("a", "z")).kvs
    assert answer.header.revision == base + 1
    assert [(kv.mod_revision, kv.version) for kv in kvs] == [(base + 1, 1)] * 4


async def test_answers_are_nested_the_same_way(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("y", b"1")

    answer = await etcd.txn(
        success=[
            Txn(
                compare=[If("y", "version", "=", 1)],
                success=[Range("y"), Txn(compare=[If("y", "version", "=", 9)], failure=[Put("z")])],
            ),
            Delete("y"),
        ]
    )

    outer = answer.responses[0].response_txn
    inner = outer.responses[1].response_txn
    stored = etcd.stored("y", b"1", create=base + 1, mod=base + 1)
    assert [op.WhichOneof("response") for op in answer.responses] == [
        "response_txn",
        "response_delete_range",
    ]
    assert outer.succeeded
    assert outer.responses[0].response_range == pb.RangeResponse(
        header=pb.ResponseHeader(revision=base + 1), kvs=[stored], count=1
    )
    assert not inner.succeeded
    assert inner.responses[0].response_put.header == pb.ResponseHeader(revision=base + 2)
    assert answer.responses[1].response_delete_range.header.revision == base + 2


async def test_the_header_of_a_nested_answer_is_there_and_empty(etcd: Client) -> None:
    answer = await etcd.txn(success=[Txn(success=[Put("a")])])

    nested = answer.responses[0].response_txn
    assert nested.HasField("header")
    assert nested.header == pb.ResponseHeader()


async def test_only_the_branches_taken_run(etcd: Client) -> None:
    answer = await etcd.txn(
        compare=[If("x", "version", ">", 0)],
        success=[Txn(success=[Put("a")])],
        failure=[Txn([If("x", "create", "=", 0)], [Put("b")], [Put("c")])],
    )

    assert not answer.succeeded
    assert etcd.names((await etcd.range("a", "z")).kvs) == ["b"]


async def test_a_nested_txn_that_changes_nothing_is_no_revision(etcd: Client) -> None:
    base = await etcd.revision()

    answer = await etcd.txn(success=[Txn(success=[Range("a"), Delete("a", "z")])])

    assert answer.header.revision == base
    assert await etcd.revision() == base


async def test_an_empty_nested_txn_succeeds(etcd: Client) -> None:
    answer = await etcd.txn(success=[Txn()])

    assert answer.responses[0].response_txn.succeeded
    assert list(answer.responses[0].response_txn.responses) == []


async def test_ten_levels(etcd: Client) -> None:
    txn = Txn(success=[Put("deep", b"down")])
    for level in range(10):
        txn = Txn(success=[Put(f"level{level}"), txn])

    await etcd.txn(success=txn.success)

    assert (await etcd.range("deep")).kvs[0].value == b"down"
    assert (await etcd.range("level", "levem", count_only=True)).count == 10


async def test_put_then_delete_in_a_later_sibling(etcd: Client) -> None:
    answer = await etcd.txn(success=[Txn(success=[Put("a")]), Txn(success=[Delete("a")])])

    deleted = answer.responses[1].response_txn.responses[0].response_delete_range
    assert deleted.deleted == 1
    assert (await etcd.range("a")).count == 0
