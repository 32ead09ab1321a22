"""KV/Txn: what is refused before anything runs, and what is refused because of the state."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.contract.client import Client, Refusal, refusal
from tests.contract.refusals import (
    COMPACTED,
    DUPLICATE_KEY,
    FUTURE_REVISION,
    KEY_NOT_FOUND,
    KEY_NOT_PROVIDED,
    LEASE_NOT_FOUND,
    LEASE_PROVIDED,
    TOO_MANY_OPERATIONS,
    VALUE_PROVIDED,
)
from tests.contract.requests import Delete, If, Nothing, Op, Put, Range, Txn

PUT_A = Put("a", b"1")


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        pytest.param(Put(""), KEY_NOT_PROVIDED, id="put without key"),
        pytest.param(Range(""), KEY_NOT_PROVIDED, id="range without key"),
        pytest.param(Range("", b"\0"), KEY_NOT_PROVIDED, id="range without key but with end"),
        pytest.param(Delete(""), KEY_NOT_PROVIDED, id="delete without key"),
        pytest.param(Put("a", b"v", ignore_value=True), VALUE_PROVIDED, id="value to ignore"),
        pytest.param(Put("a", lease=5, ignore_lease=True), LEASE_PROVIDED, id="lease to ignore"),
        pytest.param(Nothing(), KEY_NOT_FOUND, id="no operation"),
        pytest.param(Txn(success=[Put("")]), KEY_NOT_PROVIDED, id="nested put without key"),
        pytest.param(
            Txn(compare=[If("", "mod", "=", 0)]), KEY_NOT_PROVIDED, id="nested compare without key"
        ),
        pytest.param(Txn(failure=[Nothing()]), KEY_NOT_FOUND, id="nested no operation"),
    ],
)
class TestFormat:
    """Both branches are looked at, taken or not."""

    async def test_in_the_branch_taken(self, etcd: Client, op: Op, expected: Refusal) -> None:
        base = await etcd.revision()

        refused = await refusal(etcd.txn(success=[Put("before"), op]))

        assert refused == expected
        assert await etcd.revision() == base

    async def test_in_the_other_branch(self, etcd: Client, op: Op, expected: Refusal) -> None:
        refused = await refusal(etcd.txn(success=[Put("before")], failure=[op]))

        assert refused == expected
        assert (await etcd.range("before")).count == 0


def puts(count: int, stem: str = "k") -> list[Op]:
    """`count` puts of different keys."""
    return [Put(f"{stem}{number}") for number in range(count)]


def ranges(count: int) -> list[Op]:
    """`count` ranges of one key."""
    return [Range("k")] * count


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(Txn(success=puts(129)), id="success"),
        pytest.param(Txn(failure=puts(129)), id="failure"),
        pytest.param(Txn(success=ranges(129)), id="ranges count too"),
        pytest.param(Txn(compare=[If("a", "mod", "=", 0)] * 129), id="comparisons"),
        pytest.param(
            Txn(success=[Txn(success=ranges(128))]), id="a nested txn has one less than its parent"
        ),
        pytest.param(Txn(success=[*ranges(63), Txn(success=ranges(65))]), id="64 and 65 nested"),
        pytest.param(
            Txn(compare=[If("a", "mod", "=", 0)] * 100, success=[Txn(success=ranges(29))]),
            id="comparisons of the parent count",
        ),
        pytest.param(
            Txn(success=[Txn(success=[*ranges(9), Txn(success=ranges(118))])]), id="three levels"
        ),
    ],
)
async def test_too_many_operations(etcd: Client, request_: Txn) -> None:
    base = await etcd.revision()

    refused = await refusal(etcd.txn(request_.compare, request_.success, request_.failure))

    assert refused == TOO_MANY_OPERATIONS
    assert await etcd.revision() == base


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(Txn(success=puts(128)), id="128 puts"),
        pytest.param(Txn(success=puts(128), failure=puts(128)), id="128 in both branches"),
        pytest.param(Txn(success=[*ranges(63), Txn(success=ranges(64))]), id="64 and 64 nested"),
        pytest.param(
            Txn(success=[Txn(success=ranges(126)), Txn(success=ranges(126))]),
            id="siblings do not share",
        ),
    ],
)
async def test_as_many_operations_as_allowed(etcd: Client, request_: Txn) -> None:
    answer = await etcd.txn(request_.compare, request_.success, request_.failure)

    assert len(answer.responses) == len(request_.success)


def nested(*ops: Op) -> Txn:
    """A nested txn with these operations for success."""
    return Txn(success=ops)


@pytest.mark.parametrize(
    "ops",
    [
        pytest.param([PUT_A, PUT_A], id="two puts"),
        pytest.param([PUT_A, Put("b"), Put("a", b"2")], id="two puts apart"),
        pytest.param([PUT_A, Delete("a")], id="put then delete"),
        pytest.param([Delete("a"), PUT_A], id="delete then put"),
        pytest.param([PUT_A, Delete("a", "b")], id="put then delete of its range"),
        pytest.param([Delete("a", "b"), Put("aa")], id="delete of a range then put in it"),
        pytest.param([PUT_A, nested(PUT_A)], id="put then nested put"),
        pytest.param([nested(PUT_A), PUT_A], id="nested put then put"),
        pytest.param([nested(PUT_A), nested(PUT_A)], id="puts in two nested txns"),
        pytest.param([nested(PUT_A), Txn(failure=[PUT_A])], id="in branches of two nested txns"),
        pytest.param([nested(PUT_A), Delete("a")], id="nested put then delete"),
        pytest.param([Delete("a"), nested(PUT_A)], id="delete then nested put"),
        pytest.param([PUT_A, nested(Delete("a"))], id="put then nested delete"),
        pytest.param([PUT_A, Txn(failure=[Delete("a")])], id="put then nested delete on failure"),
        pytest.param([nested(Delete("a")), PUT_A], id="nested delete then put"),
        pytest.param([nested(Delete("a")), nested(PUT_A)], id="nested delete then nested put"),
        pytest.param([nested(nested(PUT_A)), PUT_A], id="put two levels down"),
    ],
)
class TestDuplicateKeys:
    async def test_for_success(self, etcd: Client, ops: Sequence[Op]) -> None:
        base = await etcd.revision()

        assert await refusal(etcd.txn(success=ops)) == DUPLICATE_KEY
        assert await etcd.revision() == base

    async def test_for_failure(self, etcd: Client, ops: Sequence[Op]) -> None:
        assert await refusal(etcd.txn(failure=ops)) == DUPLICATE_KEY


@pytest.mark.parametrize(
    ("ops", "failure"),
    [
        pytest.param([Delete("a"), Delete("a", "b"), Delete("a")], [], id="overlapping deletes"),
        pytest.param([PUT_A, Range("a"), Range("a", "b")], [], id="ranges beside a put"),
        pytest.param([PUT_A], [PUT_A], id="one put in each branch"),
        pytest.param([PUT_A], [Delete("a")], id="put here, delete there"),
        pytest.param(
            [Txn(success=[PUT_A], failure=[PUT_A])], [], id="one put in each nested branch"
        ),
        pytest.param([PUT_A, Delete("a\0", "b")], [], id="a delete beside the key"),
        pytest.param([PUT_A, Delete("b", "a")], [], id="a delete of nothing"),
        pytest.param([nested(PUT_A), nested(Delete("a"))], [], id="nested put then sibling delete"),
        pytest.param([PUT_A, Delete("a", b"\0")], [], id="a delete without end"),
        pytest.param([Delete("a", b"\0"), PUT_A], [], id="a delete without end before"),
    ],
)
async def test_what_is_no_duplicate(etcd: Client, ops: Sequence[Op], failure: Sequence[Op]) -> None:
    answer = await etcd.txn(success=ops, failure=failure)

    assert answer.succeeded
    assert len(answer.responses) == len(ops)


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        pytest.param(Put("z", lease=404), LEASE_NOT_FOUND, id="unknown lease"),
        pytest.param(Put("x", ignore_value=True), KEY_NOT_FOUND, id="no value to keep"),
        pytest.param(Put("x", ignore_lease=True), KEY_NOT_FOUND, id="no lease to keep"),
        pytest.param(Put("x", lease=404, ignore_value=True), KEY_NOT_FOUND, id="key before lease"),
        pytest.param(Range("a", revision=1_000_000_000), FUTURE_REVISION, id="future revision"),
        pytest.param(
            nested(Range("a", revision=1_000_000_000)), FUTURE_REVISION, id="nested future revision"
        ),
        pytest.param(nested(Put("z", lease=404)), LEASE_NOT_FOUND, id="nested unknown lease"),
        pytest.param(nested(Put("x", ignore_value=True)), KEY_NOT_FOUND, id="nested no value"),
    ],
)
class TestState:
    """What depends on the state fails the whole txn, but only in the branch taken."""

    async def test_in_the_branch_taken(self, etcd: Client, op: Op, expected: Refusal) -> None:
        base = await etcd.revision()

        refused = await refusal(etcd.txn(success=[PUT_A, op]))

        assert refused == expected
        assert await etcd.revision() == base
        assert (await etcd.range("a")).count == 0

    async def test_in_the_branch_not_taken(self, etcd: Client, op: Op, expected: Refusal) -> None:
        answer = await etcd.txn(success=[PUT_A], failure=[op])

        assert answer.succeeded


@pytest.mark.parametrize(
    ("ops", "expected"),
    [
        pytest.param(
            [Put("x", ignore_value=True), Put("z", lease=404)], KEY_NOT_FOUND, id="key first"
        ),
        pytest.param(
            [Put("z", lease=404), Put("x", ignore_value=True)], LEASE_NOT_FOUND, id="lease first"
        ),
        pytest.param(
            [Put("z", lease=404), Range("a", revision=1_000_000_000)],
            LEASE_NOT_FOUND,
            id="put, then range",
        ),
        pytest.param(
            [Txn(success=[Put("z", lease=404)]), Range("a", revision=1_000_000_000)],
            LEASE_NOT_FOUND,
            id="nested put, then range",
        ),
        pytest.param(
            [Range("a", revision=1_000_000_000), Put("z", lease=404)],
            FUTURE_REVISION,
            id="range, then put",
            marks=pytest.mark.etcd_since("3.6"),
        ),
        pytest.param(
            [Txn(success=[Range("a", revision=1_000_000_000)]), Put("z", lease=404)],
            FUTURE_REVISION,
            id="nested range, then put",
            marks=pytest.mark.etcd_since("3.6"),
        ),
        pytest.param(
            [Txn(success=[Put("z", lease=404)]), Put("x", ignore_value=True)],
            LEASE_NOT_FOUND,
            id="in order of execution",
        ),
    ],
)
async def test_the_first_trouble_is_reported(
    etcd: Client, ops: Sequence[Op], expected: Refusal
) -> None:
    assert await refusal(etcd.txn(success=ops)) == expected


async def test_the_next_revision_is_still_future_after_a_put(etcd: Client) -> None:
    base = await etcd.revision()

    refused = await refusal(etcd.txn(success=[PUT_A, Range("a", revision=base + 1)]))

    assert refused == FUTURE_REVISION


async def test_a_key_put_by_the_txn_has_no_value_to_keep_yet(etcd: Client) -> None:
    refused = await refusal(etcd.txn(success=[Put("b"), nested(Put("a", ignore_value=True))]))

    assert refused == KEY_NOT_FOUND


@pytest.mark.parametrize(
    "ahead",
    [pytest.param(-1, id="before"), pytest.param(-3, id="long before")],
)
async def test_a_compacted_revision_fails_the_txn(etcd: Client, ahead: int) -> None:
    for _ in range(5):
        await etcd.put("a")
    revision = await etcd.revision()
    await etcd.compact(revision)

    refused = await refusal(etcd.txn(success=[Put("b"), Range("a", revision=revision + ahead)]))

    assert refused == COMPACTED
    assert await etcd.revision() == revision


async def test_a_negative_revision_in_a_txn_is_compacted(etcd: Client) -> None:
    await etcd.put("a")
    await etcd.compact(await etcd.revision())

    assert await refusal(etcd.txn(success=[Range("a", revision=-1)])) == COMPACTED


DELETE_THEN_KEEP: list[Any] = [
    pytest.param([Delete("a", b"\0"), Put("a", ignore_value=True)], id="value"),
    pytest.param([Delete("a", b"\0"), Put("a", ignore_lease=True)], id="lease"),
    pytest.param([nested(Delete("a", b"\0")), Put("a", ignore_value=True)], id="nested"),
]


@pytest.mark.ours_only("ends etcd, at every later start too")
@pytest.mark.parametrize("ops", DELETE_THEN_KEEP)
async def test_keeping_what_the_txn_deleted_is_key_not_found(
    etcd: Client, ops: Sequence[Op]
) -> None:
    await etcd.put("a", b"1")
    base = await etcd.revision()

    refused = await refusal(etcd.txn(success=ops))

    assert refused == KEY_NOT_FOUND
    assert await etcd.revision() == base
    assert (await etcd.range("a")).kvs[0].value == b"1"
