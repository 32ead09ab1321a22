"""gRPC's framing of messages in the body of an HTTP/2 stream. Pure.

A compressed message is of the encoding that a header names; gzip is known, as in etcd.

A message is a byte that says whether it is compressed, its length in four bytes, and itself:

    00 00 00 00 03  61 62 63
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from datastore.errors import DatastoreError, MessageTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PREFIX = 5
GZIP = "gzip"
TOGETHER = 256  # messages of one list, at most


class UnknownCompression(DatastoreError):
    """grpc: Decompressor is not installed"""

    code = "UNIMPLEMENTED"


class BadCompression(DatastoreError):
    """grpc: failed to decompress the received message"""

    code = "INTERNAL"


class CutShort(DatastoreError):
    """unexpected EOF"""

    code = "INTERNAL"


class CompressedWithout(DatastoreError):
    """grpc: compressed flag set with identity or empty encoding"""

    code = "INTERNAL"


def framed(messages: Iterable[bytes]) -> bytes:
    """Return messages, uncompressed, as they go into the body."""
    return b"".join(
        [part for each in messages for part in (b"\0", len(each).to_bytes(4, "big"), each)]
    )


class Frames:
    """The messages of one body, which arrives in pieces of any length.

    `encoding` is the client's `grpc-encoding`. A message of more than `most` bytes, compressed or
    not, is refused as soon as its length is known.
    """

    def __init__(self, most: int, encoding: str = "") -> None:
        self._most = most
        self._encoding = encoding
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[list[bytes]]:
        """Yield the messages that are complete with these bytes, in lists of TOGETHER at most."""
        rest = self._rest
        rest += data
        found: list[bytes] = []
        start = 0
        try:
            while (end := self._after(start)) <= len(rest):
                found.append(self._message(start, end))
                start = end
                if len(found) == TOGETHER:
                    yield found
                    found = []
        except DatastoreError:
            if found:
                yield found
            raise
        del rest[:start]
        if found:
            yield found

    def end(self) -> None:
        """Be told that nothing follows; CutShort in the middle of a message."""
        if self._rest:
            raise CutShort

    def _after(self, start: int) -> int:
        """Return where the message that begins there ends, at least; its prefix is checked."""
        rest = self._rest
        if len(rest) < start + PREFIX:
            return start + PREFIX
        size = int.from_bytes(rest[start + 1 : start + PREFIX], "big")
        if size > self._most:
            raise self._too_large(size)
        return start + PREFIX + size

    def _message(self, start: int, end: int) -> bytes:
        data = bytes(self._rest[start + PREFIX : end])
        return self._decompressed(data) if self._rest[start] else data

    def _decompressed(self, data: bytes) -> bytes:
        if self._encoding in ("", "identity"):
            raise CompressedWithout
        if self._encoding != GZIP:
            text = f'{UnknownCompression.__doc__} for grpc-encoding "{self._encoding}"'
            raise UnknownCompression(text)
        decompressing = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            found = decompressing.decompress(data, self._most + 1)
        except zlib.error as error:
            raise BadCompression(f"{BadCompression.__doc__}: {error}") from None
        if len(found) > self._most:
            raise self._too_large(len(found))
        if not decompressing.eof:
            raise CutShort
        return found

    def _too_large(self, size: int) -> MessageTooLarge:
        return MessageTooLarge(f"{MessageTooLarge.__doc__} ({size} vs. {self._most})")
