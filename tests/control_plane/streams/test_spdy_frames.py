"""SPDY/3.1 on the wire: header blocks, frames in any pieces, and bytes that make no sense."""

import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.streams.spdy import frames
from control_plane.streams.spdy.connection import SpdyConnection
from control_plane.streams.spdy.errors import SpdyError
from control_plane.streams.spdy.header_block import (
    DICTIONARY,
    MAX_HEADER_BYTES,
    HeaderReader,
    HeaderWriter,
)

HEADERS = {"streamtype": "data", "port": "8080", "requestid": "0"}


def control(kind: int, body: bytes, *, version: int = 3, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return struct.pack(">II", 0x80000000 | version << 16 | kind, size) + body


def test_the_dictionary_is_that_of_the_protocol() -> None:
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_header_blocks_of_one_direction_build_on_each_other() -> None:
    writer, reader = HeaderWriter(), HeaderReader()
    first = writer.write({"StreamType": "error", "X": "a\x00b"})
    second = writer.write({"StreamType": "error", "X": "a\x00b"})
    assert len(second) < len(first)
    assert reader.read(first) == {"streamtype": "error", "x": "a\x00b"}
    assert reader.read(second) == {"streamtype": "error", "x": "a\x00b"}


def test_a_header_bomb_is_refused() -> None:
    bomb = HeaderWriter().write({"a": "x" * 20 * MAX_HEADER_BYTES})
    assert len(bomb) < frames.MAX_CONTROL_BYTES
    with pytest.raises(SpdyError):
        HeaderReader().read(bomb)


def test_every_frame_comes_back_in_whatever_pieces_it_arrives() -> None:
    writer = frames.FrameWriter()
    sent = b"".join(
        [
            writer.syn_stream(1, HEADERS, fin=True),
            writer.syn_reply(1, {}),
            frames.settings({7: 1000}),
            frames.ping(5),
            frames.window_update(0, 77),
            frames.rst_stream(1, 5),
            control(99, b"unknown"),
            frames.go_away(1, 0),
        ]
    )
    expected: list[frames.Frame] = [
        frames.SynStream(1, HEADERS, fin=True),
        frames.SynReply(1, {}, fin=False),
        frames.Settings({7: 1000}),
        frames.Ping(5),
        frames.WindowUpdate(0, 77),
        frames.RstStream(1, 5),
        frames.GoAway(0),
    ]
    for size in (1, 7, 64, len(sent)):
        reader = frames.FrameReader()
        found = [
            frame
            for start in range(0, len(sent), size)
            for frame in reader.feed(sent[start : start + size])
        ]
        assert found == expected


def test_data_is_handed_on_before_its_frame_is_complete() -> None:
    reader = frames.FrameReader()
    whole = frames.data_frame(3, b"hello world", fin=True)
    assert reader.feed(whole[:13]) == [frames.Data(3, b"hello", fin=False)]
    assert reader.feed(whole[13:]) == [frames.Data(3, b" world", fin=True)]
    assert reader.feed(frames.data_frame(3, b"", fin=True)) == [frames.Data(3, b"", fin=True)]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + bytes(8),
        control(1, b"", version=2),
        control(1, b"\0\0\0\1", length=1 << 20),
        control(6, b"\0"),
        control(4, struct.pack(">I", 9)),
        control(1, struct.pack(">IIH", 1, 0, 0) + b"not zlib"),
        control(1, struct.pack(">IIH", 1, 0, 0) + zlib.compress(b"x")),
        control(1, b"\0"),
        struct.pack(">II", 0, 4),
        control(9, struct.pack(">II", 0, 0)),
        frames.FrameWriter().syn_stream(2, {}, fin=False),
        frames.settings({7: 0x80000000}),
    ],
)
def test_a_peer_that_breaks_the_protocol_is_told_to_go_away(data: bytes) -> None:
    connection = SpdyConnection()
    try:
        connection.receive(data)
    except SpdyError:
        (found,) = frames.FrameReader().feed(connection.take_outgoing())
        assert found == frames.GoAway(1)
    else:
        assert data.startswith(b"GET")  # reads as data of an unknown stream, and is dropped


@given(st.lists(st.binary(max_size=300), max_size=20))
@settings(max_examples=300, deadline=None)
def test_any_bytes_make_events_or_one_error(pieces: list[bytes]) -> None:
    feed(pieces)


def test_damaged_conversations_make_events_or_one_error() -> None:
    source = random.Random(11)
    for _ in range(1500):
        conversation = bytearray(plausible_conversation(source))
        for _ in range(source.randrange(4)):
            conversation[source.randrange(len(conversation))] = source.randrange(256)
        cut = source.randrange(len(conversation))
        feed([bytes(conversation[:cut]), bytes(conversation[cut:])])


def feed(pieces: list[bytes]) -> None:
    connection = SpdyConnection()
    try:
        for piece in pieces:
            connection.receive(piece)
            connection.take_outgoing()
    except SpdyError:
        assert connection.take_outgoing().endswith(struct.pack(">I", 1))


def plausible_conversation(source: random.Random) -> bytes:
    writer, parts, number = frames.FrameWriter(), [], 1
    for _ in range(source.randrange(1, 8)):
        parts += [
            writer.syn_stream(number, HEADERS, fin=source.random() < 0.3),
            frames.data_frame(number, source.randbytes(source.randrange(40)), fin=False),
            source.choice(
                [
                    frames.ping(source.randrange(9)),
                    frames.rst_stream(number, 5),
                    frames.window_update(source.randrange(number + 2), source.randrange(9)),
                    frames.settings({7: source.randrange(1 << 16)}),
                    writer.syn_reply(number, {}),
                    frames.data_frame(number, b"", fin=True),
                ]
            ),
        ]
        number += source.choice([2, 2, 2, 1, 0])
    return b"".join(parts)
