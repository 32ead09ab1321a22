"""KV/Range: sorting, and the minima and maxima of revisions."""

from typing import Any

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, refusal
from tests.contract.refusals import INVALID_SORT_OPTION
from tests.contract.requests import Range

ASCEND, DESCEND, NONE = pb.RangeRequest.ASCEND, pb.RangeRequest.DESCEND, pb.RangeRequest.NONE
KEY, VERSION, CREATE = pb.RangeRequest.KEY, pb.RangeRequest.VERSION, pb.RangeRequest.CREATE
MOD, VALUE = pb.RangeRequest.MOD, pb.RangeRequest.VALUE


@pytest.fixture
async def base(etcd: Client) -> int:
    """Four keys in which every sort target gives another order; the revision before their first
    put.

    key  create  mod  version  value
    k1   3       10   2        "b"
    k2   1       8    4        "c"
    k3   4       4    1        "d"
    k4   2       7    3        "a"
    """
    revision = await etcd.revision()
    for name, value in [
        *(("k2", b"c"), ("k4", b"a"), ("k1", b"b"), ("k3", b"d")),
        *(("k2", b"c"), ("k4", b"a"), ("k4", b"a"), ("k2", b"c")),
        *(("other", b""), ("k1", b"b"), ("k2", b"c")),
    ]:
        await etcd.put(name, value)
    return revision


@pytest.mark.parametrize(
    ("by", "ascending"),
    [
        pytest.param(KEY, ["k1", "k2", "k3", "k4"], id="key"),
        pytest.param(VERSION, ["k3", "k1", "k4", "k2"], id="version"),
        pytest.param(CREATE, ["k2", "k4", "k1", "k3"], id="create"),
        pytest.param(MOD, ["k3", "k4", "k1", "k2"], id="mod"),
        pytest.param(VALUE, ["k4", "k1", "k2", "k3"], id="value"),
    ],
)
@pytest.mark.usefixtures("base")
class TestSort:
    async def test_ascending(self, etcd: Client, by: Any, ascending: list[str]) -> None:
        answer = await etcd.range("k", "l", sort_target=by, sort_order=ASCEND)

        assert etcd.names(answer.kvs) == ascending

    async def test_descending(self, etcd: Client, by: Any, ascending: list[str]) -> None:
        answer = await etcd.range("k", "l", sort_target=by, sort_order=DESCEND)

        assert etcd.names(answer.kvs) == ascending[::-1]

    async def test_no_order_is_ascending(self, etcd: Client, by: Any, ascending: list[str]) -> None:
        answer = await etcd.range("k", "l", sort_target=by, sort_order=NONE)

        assert etcd.names(answer.kvs) == ascending

    async def test_limit_cuts_after_sorting(
        self, etcd: Client, by: Any, ascending: list[str]
    ) -> None:
        answer = await etcd.range("k", "l", sort_target=by, sort_order=DESCEND, limit=2)

        assert (etcd.names(answer.kvs), answer.more, answer.count) == (ascending[:1:-1], True, 4)

    async def test_keys_only_sorts_by_what_is_stored(
        self, etcd: Client, by: Any, ascending: list[str]
    ) -> None:
        answer = await etcd.range("k", "l", sort_target=by, sort_order=DESCEND, keys_only=True)

        assert etcd.names(answer.kvs) == ascending[::-1]
        assert {kv.value for kv in answer.kvs} == {b""}


async def test_without_an_order_the_limit_cuts_by_key_before_sorting(
    etcd: Client, base: int
) -> None:
    answer = await etcd.range("k", "l", sort_target=CREATE, sort_order=NONE, limit=2)

    assert etcd.names(answer.kvs) == ["k2", "k1"]
    assert (answer.more, answer.count) == (True, 4)


async def test_keys_made_since_do_not_keep_the_limit_from_cutting(etcd: Client, base: int) -> None:
    await etcd.put_many(["k", "k0"])

    answer = await etcd.range("k", "l", sort_target=VALUE, limit=1, revision=base + 11)

    assert etcd.names(answer.kvs) == ["k1"]
    assert (answer.more, answer.count) == (True, 4)


async def test_sorting_a_past_revision(etcd: Client, base: int) -> None:
    answer = await etcd.range("k", "l", sort_target=MOD, sort_order=DESCEND, revision=base + 5)

    assert etcd.names(answer.kvs) == ["k2", "k3", "k1", "k4"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"min_mod_revision": 7}, ["k1", "k2", "k4"], id="min mod"),
        pytest.param({"max_mod_revision": 7}, ["k3", "k4"], id="max mod"),
        pytest.param({"min_mod_revision": 5, "max_mod_revision": 10}, ["k1", "k4"], id="mod"),
        pytest.param({"min_create_revision": 3}, ["k1", "k3"], id="min create"),
        pytest.param({"max_create_revision": 3}, ["k1", "k2", "k4"], id="max create"),
        pytest.param(
            {"min_create_revision": 2, "max_create_revision": 3}, ["k1", "k4"], id="create"
        ),
        pytest.param({"min_create_revision": 2, "max_mod_revision": 7}, ["k3", "k4"], id="both"),
        pytest.param({"min_mod_revision": 100}, [], id="nothing so new"),
        pytest.param(
            {"min_mod_revision": 100, "max_mod_revision": 1}, [], id="minimum above maximum"
        ),
    ],
)
async def test_revision_bounds_drop_keys_but_do_not_change_count(
    etcd: Client, base: int, fields: dict[str, int], expected: list[str]
) -> None:
    bounds = {name: base + ahead for name, ahead in fields.items()}

    answer = await etcd.range("k", "l", **bounds)

    assert (etcd.names(answer.kvs), answer.more, answer.count) == (expected, False, 4)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("min_mod_revision", ["k1", "k2", "k3", "k4"], id="min mod"),
        pytest.param("max_mod_revision", [], id="max mod"),
        pytest.param("min_create_revision", ["k1", "k2", "k3", "k4"], id="min create"),
        pytest.param("max_create_revision", [], id="max create"),
    ],
)
@pytest.mark.usefixtures("base")
async def test_a_negative_bound_is_a_bound(etcd: Client, field: str, expected: list[str]) -> None:
    answer = await etcd.range("k", "l", **{field: -1})

    assert (etcd.names(answer.kvs), answer.count) == (expected, 4)


async def test_limit_applies_after_the_bounds(etcd: Client, base: int) -> None:
    answer = await etcd.range("k", "l", min_mod_revision=base + 7, limit=2)
    all_of_them = await etcd.range("k", "l", min_mod_revision=base + 7, limit=3)

    assert (etcd.names(answer.kvs), answer.more, answer.count) == (["k1", "k2"], True, 4)
    assert (len(all_of_them.kvs), all_of_them.more) == (3, False)


async def test_count_only_ignores_the_bounds(etcd: Client, base: int) -> None:
    answer = await etcd.range("k", "l", min_mod_revision=base + 100, count_only=True)

    assert answer.count == 4


async def test_bounds_with_sort_and_limit(etcd: Client, base: int) -> None:
    answer = await etcd.range(
        "k", "l", max_create_revision=base + 3, sort_target=VALUE, sort_order=DESCEND, limit=2
    )

    assert (etcd.names(answer.kvs), answer.more, answer.count) == (["k2", "k1"], True, 4)


@pytest.mark.etcd_since("3.6")  # up to 3.5 an unknown target ends the server
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"sort_order": 3}, id="order"),
        pytest.param({"sort_order": -1}, id="negative order"),
        pytest.param({"sort_target": 5}, id="target"),
        pytest.param({"sort_target": -1}, id="negative target"),
    ],
)
class TestUnknownSortOption:
    async def test_is_refused(self, etcd: Client, fields: dict[str, Any]) -> None:
        assert await refusal(etcd.range("k", **fields)) == INVALID_SORT_OPTION

    async def test_is_refused_in_a_txn(self, etcd: Client, fields: dict[str, Any]) -> None:
        refused = await refusal(etcd.txn(success=[Range("k", **fields)]))

        assert refused == INVALID_SORT_OPTION

    async def test_is_refused_in_the_branch_not_taken(
        self, etcd: Client, fields: dict[str, Any]
    ) -> None:
        refused = await refusal(etcd.txn(failure=[Range("k", **fields)]))

        assert refused == INVALID_SORT_OPTION
