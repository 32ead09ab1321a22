"""The duplicate-key rule: the same answers as its plain definition, and quick when there are many.

`changed_keys` is that definition, slow: it looks at each delete for each key, at each level.
"""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datastore.errors import DuplicateKey
from datastore.mvcc.duplicate_keys import check_changes
from datastore.mvcc.model import DeleteRange, Op, Put, RangeQuery, Txn

Interval = tuple[bytes, bytes]


def changed_keys(ops: Sequence[Op | None]) -> tuple[set[bytes], list[Interval]]:
    """Return what one list puts and deletes, nested Txns included; raise DuplicateKey."""
    deletes = [(op.key, op.end) for op in ops if isinstance(op, DeleteRange)]
    puts: set[bytes] = set()
    nested_deletes: list[Interval] = []
    for txn in (op for op in ops if isinstance(op, Txn)):
        nested_puts, nested = nested_keys(txn)
        if nested_puts & puts or covers(nested_deletes, nested_puts):
            raise DuplicateKey
        puts |= nested_puts
        nested_deletes += nested
    if covers(deletes, puts):
        raise DuplicateKey
    deletes += nested_deletes
    for put in (op for op in ops if isinstance(op, Put)):
        if put.key in puts or covers(deletes, {put.key}):
            raise DuplicateKey
        puts.add(put.key)
    return puts, deletes


def nested_keys(txn: Txn) -> tuple[set[bytes], list[Interval]]:
    """Return what either branch changes; the branches do not see each other."""
    success_puts, success_deletes = changed_keys(txn.success)
    failure_puts, failure_deletes = changed_keys(txn.failure)
    return success_puts | failure_puts, success_deletes + failure_deletes


def covers(intervals: Iterable[Interval], keys: Iterable[bytes]) -> bool:
    """Say whether a key lies in an interval; an end of b"" is the key alone."""
    return any(
        key == start if end == b"" else start <= key < end
        for start, end in intervals
        for key in keys
    )


def refuses(rule: object, ops: Sequence[Op | None]) -> bool:
    """Say whether a rule refuses a branch."""
    try:
        rule(ops)  # type: ignore[operator]
    except DuplicateKey:
        return True
    return False


def branches(keys: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[Op, ...]]:
    """Lists of operations with nested Txns; more of what passes than of what clashes at once."""
    ends = st.one_of(st.just(b""), st.just(b"\0"), keys)
    single = st.one_of(
        st.builds(Put, keys),
        st.builds(DeleteRange, keys, ends),
        st.builds(RangeQuery, keys),
    )
    return st.recursive(
        st.lists(single, max_size=3).map(tuple),
        lambda inner: st.lists(
            st.one_of(single, st.builds(Txn, st.just(()), inner, inner)), max_size=4
        ).map(tuple),
        max_leaves=8,
    )


WIDE = st.binary(min_size=1, max_size=2)
NARROW = st.sampled_from([bytes([letter]) for letter in b"abcdefghij"])


@settings(max_examples=150, deadline=None)
@given(st.one_of(branches(WIDE), branches(NARROW)))
def test_it_refuses_what_the_definition_refuses(ops: tuple[Op, ...]) -> None:
    assert refuses(check_changes, ops) == refuses(changed_keys, ops)


def nested(wide: int, deep: int, prefix: bytes) -> tuple[Op, ...]:
    """Return puts and deletes of different keys, `wide` to a level and `deep` levels."""
    if deep == 1:
        singles = [prefix + bytes([n]) for n in range(wide)]
        return tuple(Put(key) if n % 2 else DeleteRange(key) for n, key in enumerate(singles))
    return tuple(Txn((), nested(wide, deep - 1, prefix + bytes([n])), ()) for n in range(wide))


def test_74000_changes_in_one_txn_are_judged() -> None:
    """With the plain definition this takes half a minute, in the thread that receives requests."""
    ops = nested(42, 3, b"k")
    check_changes(ops)
    with pytest.raises(DuplicateKey):
        check_changes((*ops, Put(b"k\1\1\0")))


def test_a_branch_is_put_back_for_what_follows_its_txn() -> None:
    """Of the two branches of a Txn neither sees the other; what comes after sees both."""
    large: tuple[Op, ...] = (Put(b"a"), Put(b"b"), DeleteRange(b"m", b"p"))
    both = Txn((), large, (Put(b"a"), DeleteRange(b"b")))
    check_changes((both, Put(b"c")))
    for clash in (b"a", b"b", b"n"):
        with pytest.raises(DuplicateKey):
            check_changes((both, Put(clash)))
        with pytest.raises(DuplicateKey):
            check_changes((both, Txn((), (Put(clash),), ())))
