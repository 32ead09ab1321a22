"""KV/Txn: what each comparison says, for a key that exists, for one that does not, and for ranges.

`x` does not exist; `y` has create_revision base+1, mod_revision base+3, version 3, value "m"
and a lease; `r1` and `r2` are put after it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, refusal
from tests.contract.refusals import KEY_NOT_PROVIDED
from tests.contract.requests import If, Put

REVISIONS = ("create", "mod")  # their operands are counted from base


@pytest.fixture
async def base(etcd: Client) -> int:
    """The revision before the first put."""
    revision = await etcd.revision()
    lease = await etcd.grant()
    for _ in range(3):
        await etcd.put("y", b"m", lease=lease)
    await etcd.put("r1", b"a")
    await etcd.put("r2", b"b")
    await etcd.put("r2", b"b")
    return revision


def counted_from(base: int, term: If) -> If:
    """The comparison with a revision counted from base; 0 stays 0."""
    if term.target in REVISIONS and term.operand:
        return replace(term, operand=base + term.operand)
    return term


async def succeeds(etcd: Client, base: int, terms: Sequence[If]) -> bool:
    """Whether a Txn with these comparisons takes its success branch."""
    answer = await etcd.txn(compare=[counted_from(base, term) for term in terms])
    return answer.succeeded


def cases(*rows: tuple[str, str, str, Any, bool]) -> list[Any]:
    """One pytest.param per row: key, target, result, operand, outcome."""
    return [
        pytest.param(
            If(key, target, result, operand), outcome, id=f"{key} {target} {result} {operand!r}"
        )
        for key, target, result, operand, outcome in rows
    ]


@pytest.mark.parametrize(
    ("term", "outcome"),
    cases(
        ("y", "version", "=", 3, True),
        ("y", "version", "=", 2, False),
        ("y", "version", "!=", 2, True),
        ("y", "version", "!=", 3, False),
        ("y", "version", ">", 2, True),
        ("y", "version", ">", 3, False),
        ("y", "version", "<", 4, True),
        ("y", "version", "<", 3, False),
        ("y", "create", "=", 1, True),
        ("y", "create", "=", 2, False),
        ("y", "create", ">", 0, True),
        ("y", "create", "<", 2, True),
        ("y", "create", "!=", 1, False),
        ("y", "mod", "=", 3, True),
        ("y", "mod", "=", 0, False),
        ("y", "mod", ">", 2, True),
        ("y", "mod", "<", 3, False),
        ("y", "mod", "!=", 0, True),
        ("y", "value", "=", b"m", True),
        ("y", "value", "=", b"", False),
        ("y", "value", "!=", b"n", True),
        ("y", "value", ">", b"l\xff", True),
        ("y", "value", ">", b"m", False),
        ("y", "value", "<", b"m\0", True),
        ("y", "value", "<", b"m", False),
        ("y", "lease", ">", 0, True),
        ("y", "lease", "=", 0, False),
        ("y", "lease", "!=", 0, True),
        ("y", "lease", "<", 1, False),
    ),
)
async def test_an_existing_key(etcd: Client, base: int, term: If, outcome: bool) -> None:
    assert await succeeds(etcd, base, [term]) is outcome


@pytest.mark.parametrize(
    ("term", "outcome"),
    cases(
        ("x", "version", "=", 0, True),
        ("x", "version", "!=", 0, False),
        ("x", "version", "<", 1, True),
        ("x", "version", ">", -1, True),
        ("x", "create", "=", 0, True),
        ("x", "create", ">", 0, False),
        ("x", "create", "<", 1, True),
        ("x", "mod", "=", 0, True),
        ("x", "mod", "!=", 0, False),
        ("x", "mod", ">", 0, False),
        ("x", "lease", "=", 0, True),
        ("x", "lease", "!=", 0, False),
        ("x", "value", "=", b"", False),
        ("x", "value", "!=", b"q", False),
        ("x", "value", "<", b"q", False),
        ("x", "value", ">", b"", False),
    ),
)
async def test_a_missing_key_is_0_but_has_no_value(
    etcd: Client, base: int, term: If, outcome: bool
) -> None:
    assert await succeeds(etcd, base, [term]) is outcome


@pytest.mark.parametrize(
    ("term", "outcome"),
    [
        pytest.param(If("r1", "version", ">", 0, end="r3"), True, id="all exist"),
        pytest.param(If("r1", "version", "=", 1, end="r3"), False, id="one of them differs"),
        pytest.param(If("r1", "version", "<", 3, end="r3"), True, id="all are below"),
        pytest.param(If("r", "value", "<", b"c", end="s"), True, id="all values"),
        pytest.param(If("r", "value", "!=", b"b", end="s"), False, id="not all values"),
        pytest.param(If("r1", "mod", ">", 3, end="r3"), True, id="all are newer"),
        pytest.param(If("r1", "mod", "<", 6, end="r3"), False, id="one is newer"),
        pytest.param(If("r1", "lease", "=", 0, end="r3"), True, id="none has a lease"),
        pytest.param(If("r2", "create", ">", 0, end=b"\0"), True, id="from a key on"),
        pytest.param(If("p", "create", ">", 0, end="q"), False, id="no key: 0 is not above 0"),
        pytest.param(If("p", "create", "=", 0, end="q"), True, id="no key: 0"),
        pytest.param(If("p", "value", "!=", b"z", end="q"), False, id="no key: no value"),
        pytest.param(If("r3", "version", "=", 0, end="r1"), True, id="empty range: 0"),
        pytest.param(If("r2", "version", "=", 0, end="r2"), True, id="end equals key: 0"),
    ],
)
async def test_a_range_holds_for_every_key(
    etcd: Client, base: int, term: If, outcome: bool
) -> None:
    assert await succeeds(etcd, base, [term]) is outcome


@pytest.mark.parametrize(
    ("terms", "outcome"),
    [
        pytest.param([], True, id="none"),
        pytest.param([If("x", "mod", "=", 0), If("y", "version", "=", 3)], True, id="all hold"),
        pytest.param([If("x", "mod", "=", 0), If("y", "version", "=", 1)], False, id="one fails"),
        pytest.param([If("y", "version", "=", 3)] * 128, True, id="128 of them"),
    ],
)
async def test_all_comparisons_must_hold(
    etcd: Client, base: int, terms: list[If], outcome: bool
) -> None:
    assert await succeeds(etcd, base, terms) is outcome


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        pytest.param({"key": "x", "target": 0}, True, id="no operand is 0"),
        pytest.param({"key": "y", "target": 0}, False, id="no operand is 0 for an existing key"),
        pytest.param({"key": "x", "target": 2, "version": 9}, True, id="another operand is 0"),
        pytest.param({"key": "y", "target": 3, "version": 9}, False, id="no value is empty"),
        pytest.param({"key": "y", "target": 3, "result": 1}, True, id="above the empty value"),
        pytest.param({"key": "y", "target": 9, "version": 9}, True, id="unknown target is equal"),
        pytest.param(
            {"key": "y", "target": 9, "result": 3}, False, id="unknown target is not unequal"
        ),
        pytest.param(
            {"key": "y", "target": 0, "result": 9, "version": 9}, True, id="unknown result holds"
        ),
    ],
)
async def test_operands_that_do_not_fit(
    etcd: Client, fields: dict[str, Any], outcome: bool
) -> None:
    compare = pb.Compare(**{**fields, "key": etcd.key(fields["key"])})

    answer = await etcd.send(etcd.kv.Txn, pb.TxnRequest(compare=[compare]))

    assert answer.succeeded is outcome


@pytest.mark.parametrize("end", [pytest.param(b"", id="alone"), pytest.param(b"\0", id="range")])
async def test_no_key_is_refused(etcd: Client, end: bytes) -> None:
    refused = await refusal(etcd.txn(compare=[If("", "mod", "=", 0, end=end)], success=[Put("a")]))

    assert refused == KEY_NOT_PROVIDED
