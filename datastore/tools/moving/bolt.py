"""A bbolt file, read: what an etcd keeps its store in, and what its snapshots are.

A file of pages of one size. Pages 0 and 1 are metas, of which the sound one with the higher
transaction counts; it names the root of a tree of named buckets, each a B+ tree of its own, a small
one inside its parent's value. Numbers are little-endian. Damage is found where it is met: BadBolt.

Source: bbolt's file format, version 2.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAGIC, VERSION = 0xED0CDAED, 2
PAGE = struct.Struct("<QHHI")  # id, flags, count, overflow
META = struct.Struct("<IIIIQQQQQ")  # magic, version, page size, flags, root, sequence, …, txid
CHECKSUM = struct.Struct("<Q")
BRANCH = struct.Struct("<IIQ")  # position of the key from here, its size, page
LEAF = struct.Struct("<IIII")  # flags, position of the key from here, sizes of key and value
BUCKET = struct.Struct("<QQ")  # root page (0: the page follows here), sequence
BRANCH_PAGE, LEAF_PAGE = 1, 2
IS_BUCKET = 1
PAGE_SIZES = (4_096, 8_192, 16_384, 65_536, 1_024, 2_048, 32_768)
DEEPEST = 64
FNV_OFFSET, FNV_PRIME, MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


class BadBolt(Exception):
    """The file is no bbolt file, or damaged."""


class Item(NamedTuple):
    """A key, and where its value lies in the file."""

    key: bytes
    flags: int
    at: int
    size: int


class Bolt:
    """An open file; `close` it."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            try:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError as error:
                raise BadBolt("it is empty") from error
        try:
            self._page_size, self._root, self.transaction = self._meta()
        except BadBolt:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._data.close()

    def value(self, at: int, size: int) -> bytes:
        """Return bytes of the file, all of them."""
        found = self._data[at : at + size]
        if len(found) != size:
            raise BadBolt("it ends too early")
        return found

    def items(self, bucket: bytes) -> Iterator[Item]:
        """Yield a bucket's items in key order, none if there is no such bucket."""
        for item in self._walk(self._root * self._page_size):
            if item.key == bucket and item.flags & IS_BUCKET:
                (root, _) = BUCKET.unpack(self.value(item.at, BUCKET.size))
                at = root * self._page_size if root else item.at + BUCKET.size
                yield from self._walk(at)

    def get(self, bucket: bytes, key: bytes) -> bytes:
        """Return a value of a small bucket, b"" when there is none."""
        return next((self.value(i.at, i.size) for i in self.items(bucket) if i.key == key), b"")

    def _walk(self, at: int, depth: int = 0) -> Iterator[Item]:
        _, flags, count, _ = PAGE.unpack(self.value(at, PAGE.size))
        if depth > DEEPEST or not flags & (BRANCH_PAGE | LEAF_PAGE):
            raise BadBolt(f"there is no page of a tree at byte {at}")
        first = at + PAGE.size
        if flags & LEAF_PAGE:
            for here in range(first, first + count * LEAF.size, LEAF.size):
                yield self._item(here)
            return
        for here in range(first, first + count * BRANCH.size, BRANCH.size):
            _, _, page = BRANCH.unpack(self.value(here, BRANCH.size))
            yield from self._walk(page * self._page_size, depth + 1)

    def _item(self, at: int) -> Item:
        flags, position, key_size, size = LEAF.unpack(self.value(at, LEAF.size))
        key = self.value(at + position, key_size)
        return Item(key, flags, at + position + key_size, size)

    def _meta(self) -> tuple[int, int, int]:
        """Return page size, root page and transaction of the newer of two metas that are sound."""
        found = [meta for at in (0, *PAGE_SIZES) if (meta := self._meta_at(at))]
        if not found:
            raise BadBolt("it has no sound first page")
        return max(found, key=lambda meta: meta[2])

    def _meta_at(self, page: int) -> tuple[int, int, int] | None:
        at = page + PAGE.size
        whole = self._data[at : at + META.size + CHECKSUM.size]
        if len(whole) < META.size + CHECKSUM.size:
            return None
        magic, version, page_size, _, root, _, _, _, transaction = META.unpack_from(whole)
        (checksum,) = CHECKSUM.unpack_from(whole, META.size)
        if (magic, version, checksum) != (MAGIC, VERSION, fnv1a(whole[: META.size])):
            return None
        return (page_size, root, transaction) if page in (0, page_size) else None


def fnv1a(data: bytes) -> int:
    """Return the 64-bit FNV-1a hash."""
    found = FNV_OFFSET
    for byte in data:
        found = (found ^ byte) * FNV_PRIME & MASK
    return found
