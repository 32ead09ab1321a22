"""An HTML page that passes by: unpacked, its links rewritten, and packed again. Pure."""

import zlib
from collections.abc import Sequence
from typing import Protocol

from control_plane.apiserver.proxying.header_rules import Header, first
from control_plane.apiserver.proxying.html_links import LinkRewriter, Rewrite

_GZIP = 16 + zlib.MAX_WBITS
MAX_UNPACKED_BYTES = 262_144


class Page(Protocol):
    """A body that passes by."""

    def feed(self, data: bytes) -> bytes:
        """What can be passed on of it by now."""

    def end(self) -> bytes:
        """The rest."""


class PackedPage:
    """A page in gzip. What is no gzip ends there, as it would for the client."""

    def __init__(self, rewrite: Rewrite) -> None:
        """Begin a page."""
        self._links = LinkRewriter(rewrite)
        self._unpack = zlib.decompressobj(_GZIP)
        self._pack = zlib.compressobj(wbits=_GZIP)

    def feed(self, data: bytes) -> bytes:
        """Rewritten and packed, in steps of MAX_UNPACKED_BYTES at most; OSError for no gzip."""
        done: list[bytes] = []
        while data and not self._unpack.eof:
            try:
                plain = self._unpack.decompress(data, MAX_UNPACKED_BYTES)
            except zlib.error as error:
                raise OSError(f"the page is no gzip: {error}") from error
            done.append(self._pack.compress(self._links.feed(plain)))
            data = self._unpack.unconsumed_tail
        return b"".join(done)

    def end(self) -> bytes:
        """The rest."""
        return self._pack.compress(self._links.end()) + self._pack.flush()


def page_rewriter(headers: Sequence[Header], rewrite: Rewrite) -> Page | None:
    """What rewrites the body of an answer; None for one that is no page, or oddly packed."""
    kind = first(headers, b"content-type").partition(";")[0].strip()
    if kind != "text/html":
        return None
    packed = first(headers, b"content-encoding")
    if packed == "gzip":
        return PackedPage(rewrite)
    return None if packed else LinkRewriter(rewrite)
