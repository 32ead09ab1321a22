"""A range is permitted exactly when the union of the permissions covers it."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from datastore.mvcc.auth.model import Access, Permission
from datastore.mvcc.auth.permissions import Coverage, is_valid, merge
from datastore.mvcc.model import in_range

LETTERS = (b"\0", b"a", b"m", b"\xff")
KEYS = st.lists(st.sampled_from(LETTERS), min_size=1, max_size=2).map(b"".join)
ENDS = st.one_of(st.just(b""), st.just(b"\0"), KEYS)
PERMISSIONS = st.builds(Permission, st.sampled_from((*Access, 7)), KEYS, ENDS).filter(
    lambda permission: is_valid(permission.key, permission.end)
)
ALLOWS = {
    Access.READ: (Access.READ, Access.READWRITE),
    Access.WRITE: (Access.WRITE, Access.READWRITE),
}
# Every boundary above has keys of this universe on both of its sides.
UNIVERSE = sorted({b"".join(parts) for parts in product((b"", *LETTERS), repeat=4)} - {b""})


def permitted(permissions: list[Permission], access: Access, key: bytes) -> bool:
    """Whether any single permission holds the key."""
    kinds = ALLOWS[access]
    return any(in_range(key, p.key, p.end) for p in permissions if p.access in kinds)


@given(st.lists(PERMISSIONS, max_size=5), st.sampled_from([Access.READ, Access.WRITE]), KEYS, ENDS)
def test_the_union_decides(
    permissions: list[Permission], access: Access, key: bytes, end: bytes
) -> None:
    asked = [known for known in UNIVERSE if in_range(known, key, end)] or [key]
    expected = all(permitted(permissions, access, one) for one in asked)
    if end == b"\0":
        expected = expected and any(
            p.end == b"\0" for p in permissions if p.access in ALLOWS[access]
        )

    assert Coverage(permissions).allows(access, key, end) == expected


def test_ranges_that_touch_are_one() -> None:
    parts = [(b"b", b"c"), (b"a", b"b"), (b"x", b"x\0"), (b"c", b"d"), (b"y", None), (b"z", b"zz")]

    assert merge(parts) == [(b"a", b"d"), (b"x", b"x\0"), (b"y", None)]
