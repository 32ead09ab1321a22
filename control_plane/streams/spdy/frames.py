"""Frames: bytes to values and back.

A frame is 8 bytes and a payload: control frames have the first bit set, then version and type; data
frames have the stream's number there. Data is handed on as it arrives, without waiting for the rest
of its frame, so that what is kept here is at most one control frame. Pure. Called by connection.py.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from control_plane.streams.spdy.errors import SpdyError
from control_plane.streams.spdy.header_block import HeaderReader, HeaderWriter

MAX_CONTROL_BYTES = 65_536
MAX_DATA_BYTES = 65_536
VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = (
    *(1, 2, 3, 4),
    *(6, 7, 8, 9),
)
FIN = 1

_HEAD = struct.Struct(">II")
_WORD = struct.Struct(">I")
_PAIR = struct.Struct(">II")
_SYN_STREAM = struct.Struct(">IIH")
_CONTROL = 0x8000_0000
_31_BITS = 0x7FFF_FFFF
_24_BITS = 0xFF_FFFF


@dataclass(frozen=True, slots=True)
class SynStream:
    """The peer opens a stream; `fin` when it will send nothing on it."""

    stream: int
    headers: Mapping[str, str]
    fin: bool


@dataclass(frozen=True, slots=True)
class SynReply:
    """The peer accepts a stream, or (from HEADERS) has more to say of it."""

    stream: int
    headers: Mapping[str, str]
    fin: bool


@dataclass(frozen=True, slots=True)
class RstStream:
    """The peer gives a stream up."""

    stream: int
    status: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings by number."""

    values: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Ping:
    """To be sent back when its number is one of the peer's."""

    number: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """The peer takes no more streams."""

    status: int


@dataclass(frozen=True, slots=True)
class WindowUpdate:
    """The peer takes `delta` bytes more, on a stream or (0) the connection."""

    stream: int
    delta: int


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of a stream's data; `fin` with the last piece of the last frame."""

    stream: int
    data: bytes
    fin: bool


Frame = SynStream | SynReply | RstStream | Settings | Ping | GoAway | WindowUpdate | Data


class FrameWriter:
    """The frames that one end sends."""

    def __init__(self) -> None:
        """Start the header stream."""
        self._headers = HeaderWriter()

    def syn_stream(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> bytes:
        """Open a stream."""
        body = _SYN_STREAM.pack(stream, 0, 0) + self._headers.write(headers)
        return _control(SYN_STREAM, body, FIN if fin else 0)

    def syn_reply(self, stream: int, headers: Mapping[str, str]) -> bytes:
        """Accept a stream."""
        return _control(SYN_REPLY, _WORD.pack(stream) + self._headers.write(headers))


def data_frame(stream: int, data: bytes, *, fin: bool) -> bytes:
    """At most MAX_DATA_BYTES of a stream's data."""
    return _HEAD.pack(stream, (FIN if fin else 0) << 24 | len(data)) + data


def rst_stream(stream: int, status: int) -> bytes:
    """Give a stream up."""
    return _control(RST_STREAM, _PAIR.pack(stream, status))


def ping(number: int) -> bytes:
    """Ask for an answer, or give it."""
    return _control(PING, _WORD.pack(number))


def go_away(last_stream: int, status: int) -> bytes:
    """Take no more streams; `last_stream` is the last one of the peer's that was taken."""
    return _control(GOAWAY, _PAIR.pack(last_stream, status))


def window_update(stream: int, delta: int) -> bytes:
    """Take `delta` bytes more."""
    return _control(WINDOW_UPDATE, _PAIR.pack(stream, delta))


def settings(values: Mapping[int, int]) -> bytes:
    """Tell settings."""
    entries = b"".join(_PAIR.pack(number, value) for number, value in values.items())
    return _control(SETTINGS, _WORD.pack(len(values)) + entries)


def _control(kind: int, body: bytes, flags: int = 0) -> bytes:
    return _HEAD.pack(_CONTROL | VERSION << 16 | kind, flags << 24 | len(body)) + body


class FrameReader:
    """Feed it what arrives; it gives back what that completes."""

    def __init__(self) -> None:
        """Expect the first frame."""
        self._buffer = bytearray()
        self._headers = HeaderReader()
        self._data: tuple[int, int, bool] | None = None  # stream, bytes to come, fin

    def feed(self, data: bytes) -> list[Frame]:
        """The frames, and pieces of data frames, that are complete now; raises SpdyError."""
        self._buffer += data
        frames: list[Frame] = []
        while self._step(frames):
            pass
        return frames

    def _step(self, frames: list[Frame]) -> bool:
        """Read one thing; False when more bytes are needed first."""
        if self._data is not None:
            return self._read_data(frames, *self._data)
        if len(self._buffer) < _HEAD.size:
            return False
        first, second = _HEAD.unpack_from(self._buffer)
        flags, length = second >> 24, second & _24_BITS
        if first & _CONTROL:
            return self._read_control(frames, first & _31_BITS, flags, length)
        if first == 0:
            raise SpdyError("data on stream 0")
        del self._buffer[: _HEAD.size]
        self._data = (first, length, bool(flags & FIN))
        return True

    def _read_data(self, frames: list[Frame], stream: int, length: int, fin: bool) -> bool:
        piece = bytes(self._buffer[:length])
        if length and not piece:
            return False
        del self._buffer[: len(piece)]
        left = length - len(piece)
        self._data = (stream, left, fin) if left else None
        frames.append(Data(stream, piece, fin and not left))
        return True

    def _read_control(self, frames: list[Frame], first: int, flags: int, length: int) -> bool:
        version, kind = first >> 16, first & 0xFFFF
        if version != VERSION:
            raise SpdyError(f"a frame of version {version}, not {VERSION}")
        if length > MAX_CONTROL_BYTES:
            raise SpdyError(f"a control frame of {length} bytes, more than {MAX_CONTROL_BYTES}")
        end = _HEAD.size + length
        if len(self._buffer) < end:
            return False
        body = bytes(self._buffer[_HEAD.size : end])
        del self._buffer[:end]
        reader = _READERS.get(kind)
        if reader is None:
            return True  # the protocol says to skip what is not known
        try:
            frames.append(reader(self._headers, flags, body))
        except struct.error as error:
            raise SpdyError(f"a control frame of type {kind} is too short") from error
        return True


def _syn_stream(headers: HeaderReader, flags: int, body: bytes) -> Frame:
    stream = _SYN_STREAM.unpack_from(body)[0] & _31_BITS
    return SynStream(stream, headers.read(body[_SYN_STREAM.size :]), bool(flags & FIN))


def _syn_reply(headers: HeaderReader, flags: int, body: bytes) -> Frame:
    stream = _WORD.unpack_from(body)[0] & _31_BITS
    return SynReply(stream, headers.read(body[_WORD.size :]), bool(flags & FIN))


def _two(body: bytes) -> tuple[int, int]:
    first, second = _PAIR.unpack_from(body)
    return first & _31_BITS, second & _31_BITS


def _settings(body: bytes) -> Settings:
    (count,) = _WORD.unpack_from(body)
    values = {}
    for index in range(min(count, len(body))):
        number, value = _PAIR.unpack_from(body, _WORD.size + index * _PAIR.size)
        values[number & _24_BITS] = value
    return Settings(values)


_READERS: Mapping[int, Callable[[HeaderReader, int, bytes], Frame]] = {
    SYN_STREAM: _syn_stream,
    SYN_REPLY: _syn_reply,
    RST_STREAM: lambda _headers, _flags, body: RstStream(*_two(body)),
    SETTINGS: lambda _headers, _flags, body: _settings(body),
    PING: lambda _headers, _flags, body: Ping(_WORD.unpack_from(body)[0]),
    GOAWAY: lambda _headers, _flags, body: GoAway(_two(body)[1]),
    HEADERS: _syn_reply,
    WINDOW_UPDATE: lambda _headers, _flags, body: WindowUpdate(*_two(body)),
}
