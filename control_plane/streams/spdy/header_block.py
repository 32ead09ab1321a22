"""Header blocks: names and values, compressed with zlib and the dictionary of SPDY/3.

Each direction of a connection is one zlib stream, so blocks must be read and written in the order
in which they are on the wire. Pure. Called by frames.py.
"""

import struct
import zlib
from collections.abc import Mapping

from control_plane.streams.spdy.errors import SpdyError

MAX_HEADER_BYTES = 65_536

_WORD = struct.Struct(">I")
_LENGTH_BEFORE_EACH = (
    "options", "head", "post", "put", "delete", "trace", "accept", "accept-charset",
    "accept-encoding", "accept-language", "accept-ranges", "age", "allow", "authorization",
    "cache-control", "connection", "content-base", "content-encoding", "content-language",
    "content-length", "content-location", "content-md5", "content-range", "content-type",
    "date", "etag", "expect", "expires", "from", "host", "if-match", "if-modified-since",
    "if-none-match", "if-range", "if-unmodified-since", "last-modified", "location",
    "max-forwards", "pragma", "proxy-authenticate", "proxy-authorization", "range", "referer",
    "retry-after", "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
    "vary", "via", "warning", "www-authenticate", "method", "get", "status", "200 OK",
    "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin",
)  # fmt: skip
_STATUS_CODES = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
)
_REASONS = (
    "203 Non-Authoritative Information",
    "204 No Content",
    "301 Moved Permanently",
    "400 Bad Request",
    "401 Unauthorized",
    "403 Forbidden",
    "404 Not Found",
    "500 Internal Server Error",
    "501 Not Implemented",
    "503 Service Unavailable",
)
_VALUES = (
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
    "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT",
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,"
    "text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch"
    "charset=utf-8charset=iso-8859-1,utf-,*,enq=0.",
)
DICTIONARY = b"".join(
    [
        *(_WORD.pack(len(word)) + word.encode() for word in _LENGTH_BEFORE_EACH),
        _STATUS_CODES.encode(),
        *(text.encode() for text in (*_REASONS, *_VALUES)),
    ]
)


class HeaderWriter:
    """The compressing end of one direction."""

    def __init__(self) -> None:
        """Start the direction's zlib stream."""
        self._zlib = zlib.compressobj(zdict=DICTIONARY)

    def write(self, headers: Mapping[str, str]) -> bytes:
        """The next block; names are written in lower case."""
        parts = [_WORD.pack(len(headers))]
        for name, value in headers.items():
            for text in (name.lower().encode("latin-1"), value.encode("latin-1")):
                parts += (_WORD.pack(len(text)), text)
        return self._zlib.compress(b"".join(parts)) + self._zlib.flush(zlib.Z_SYNC_FLUSH)


class HeaderReader:
    """The decompressing end of one direction."""

    def __init__(self) -> None:
        """Expect the direction's zlib stream."""
        self._zlib = zlib.decompressobj(zdict=DICTIONARY)

    def read(self, block: bytes) -> dict[str, str]:
        """The headers of the next block, names in lower case; raises SpdyError.

        A block of more than MAX_HEADER_BYTES is refused before it is decompressed further.
        """
        try:
            plain = self._zlib.decompress(block, MAX_HEADER_BYTES)
        except zlib.error as error:
            raise SpdyError(f"a header block cannot be decompressed: {error}") from error
        if self._zlib.unconsumed_tail or self._zlib.eof:
            raise SpdyError(f"a header block has more than {MAX_HEADER_BYTES} bytes or ends early")
        return _parsed(plain)


def _parsed(plain: bytes) -> dict[str, str]:
    try:
        (count,) = _WORD.unpack_from(plain)
        texts, position = [], _WORD.size
        for _ in range(2 * min(count, len(plain))):
            (length,) = _WORD.unpack_from(plain, position)
            position += _WORD.size
            if position + length > len(plain):
                raise SpdyError("a header block ends within a header")
            texts.append(plain[position : position + length].decode("latin-1"))
            position += length
    except struct.error as error:
        raise SpdyError("a header block ends within a header") from error
    return dict(zip((name.lower() for name in texts[::2]), texts[1::2], strict=True))
