"""A bbolt file, written from front to back: buckets of sorted items, none of them changed again.

Leaves are filled as items come, the branches above them are made when a bucket ends; the metas are
written last. An item larger than a page gets pages of its own that follow each other. See `bolt.py`
for the format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.tools.moving.bolt import (
    BRANCH,
    BRANCH_PAGE,
    BUCKET,
    CHECKSUM,
    IS_BUCKET,
    LEAF,
    LEAF_PAGE,
    MAGIC,
    META,
    PAGE,
    VERSION,
    fnv1a,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

PAGE_SIZE = 4_096
ROOM = PAGE_SIZE - PAGE.size
META_PAGE, FREE_PAGE = 4, 16
FREE_AT, FIRST = 2, 3  # pages 0 and 1 are metas
TRANSACTIONS = (1, 2)  # of the two metas: the second counts
Items = list[tuple[bytes, bytes]]
Children = list[tuple[bytes, int]]  # the first key of a page, and the page


class BoltWriter:
    """Writes into an empty file; `finish` makes it whole."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._next = FIRST
        file.seek(FIRST * PAGE_SIZE)

    def bucket(self, items: Iterable[tuple[bytes, bytes]]) -> int:
        """Write a bucket of items in key order; return its root page."""
        return self._tree([self._leaf(page) for page in filled(items)] or [self._leaf([])])

    def finish(self, buckets: Mapping[bytes, int]) -> None:
        """Write the tree of buckets, by name, and the first pages."""
        items = [(name, BUCKET.pack(root, 0)) for name, root in sorted(buckets.items())]
        root = self._tree([self._leaf(page, IS_BUCKET) for page in filled(items)])
        for page, transaction in enumerate(TRANSACTIONS):
            meta = META.pack(
                MAGIC, VERSION, PAGE_SIZE, 0, root, 0, FREE_AT, self._next, transaction
            )
            self._page_at(page, META_PAGE, 0, meta + CHECKSUM.pack(fnv1a(meta)))
        self._page_at(FREE_AT, FREE_PAGE, 0, b"")

    def _tree(self, children: Children) -> int:
        """Write branches until there is one page above all; return it."""
        while len(children) > 1:
            children = [self._branch(group) for group in grouped(children)]
        return children[0][1]

    def _leaf(self, items: Items, flags: int = 0) -> tuple[bytes, int]:
        elements, content = [], []
        at = len(items) * LEAF.size
        for number, (key, value) in enumerate(items):
            position = at - number * LEAF.size
            elements.append(LEAF.pack(flags, position, len(key), len(value)))
            content += [key, value]
            at += len(key) + len(value)
        first = items[0][0] if items else b""
        return first, self._append(LEAF_PAGE, len(items), b"".join(elements + content))

    def _branch(self, children: Children) -> tuple[bytes, int]:
        elements, keys = [], []
        at = len(children) * BRANCH.size
        for number, (key, page) in enumerate(children):
            elements.append(BRANCH.pack(at - number * BRANCH.size, len(key), page))
            keys.append(key)
            at += len(key)
        body = b"".join(elements + keys)
        return children[0][0], self._append(BRANCH_PAGE, len(children), body)

    def _append(self, flags: int, count: int, body: bytes) -> int:
        """Write a page, with as many that follow it as it needs; return its number."""
        page, more = self._next, (len(body) + PAGE.size - 1) // PAGE_SIZE
        self._file.write(PAGE.pack(page, flags, count, more) + body)
        self._next += 1 + more
        self._file.write(bytes((1 + more) * PAGE_SIZE - PAGE.size - len(body)))
        return page

    def _page_at(self, page: int, flags: int, count: int, body: bytes) -> None:
        self._file.seek(page * PAGE_SIZE)
        whole = PAGE.pack(page, flags, count, 0) + body
        self._file.write(whole.ljust(PAGE_SIZE, b"\0"))


def filled(items: Iterable[tuple[bytes, bytes]]) -> Iterator[Items]:
    """Split items into pages; one that is too large for a page gets it alone."""
    page: Items = []
    size = 0
    for item in items:
        needed = LEAF.size + len(item[0]) + len(item[1])
        if page and size + needed > ROOM:
            yield page
            page, size = [], 0
        page.append(item)
        size += needed
    if page:
        yield page


def grouped(children: Children) -> Iterator[Children]:
    """Split children into branch pages, each of two at least if there are two."""
    group: Children = []
    size = 0
    for child in children:
        needed = BRANCH.size + len(child[0])
        if len(group) >= 2 and size + needed > ROOM:
            yield group
            group, size = [], 0
        group.append(child)
        size += needed
    yield group
