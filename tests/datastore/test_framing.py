"""gRPC's messages in the body of a stream, and what its headers say."""

import gzip

import pytest

from datastore.errors import DatastoreError, MessageTooLarge
from datastore.rpc.framing import TOGETHER, CompressedWithout, CutShort, Frames, framed
from datastore.rpc.stream_call import timeout

MESSAGES = [b"", b"a", b"bc" * 300, b"\0\0\0\0\0"]


def taken(frames: Frames, *pieces: bytes) -> list[list[bytes]]:
    return [found for piece in pieces for found in frames.feed(piece)]


@pytest.mark.parametrize("size", [1, 2, 5, 7, 10_000])
def test_messages_may_arrive_in_pieces_of_any_length(size: int) -> None:
    body = framed(MESSAGES)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]

    found = taken(frames := Frames(1_000), *pieces)

    assert [message for messages in found for message in messages] == MESSAGES
    frames.end()


def test_what_arrives_together_is_taken_together_within_a_bound() -> None:
    found = taken(Frames(1_000), framed([b"x"] * (2 * TOGETHER + 1)))

    assert [len(messages) for messages in found] == [TOGETHER, TOGETHER, 1]


def test_a_message_that_is_too_long_is_refused_before_it_is_there() -> None:
    frames = Frames(10)
    found: list[list[bytes]] = []
    with pytest.raises(MessageTooLarge, match=r"received message larger than max \(11 vs. 10\)"):
        found.extend(frames.feed(framed([b"fits"]) + framed([b"x" * 11])[:5]))

    assert found == [[b"fits"]]


@pytest.mark.parametrize(
    ("encoding", "code", "text"),
    [
        ("zstd", "UNIMPLEMENTED", 'grpc: Decompressor is not installed for grpc-encoding "zstd"'),
        ("identity", "INTERNAL", CompressedWithout.__doc__),
        ("", "INTERNAL", CompressedWithout.__doc__),
    ],
)
def test_a_message_that_cannot_be_decompressed_is_refused(
    encoding: str, code: str, text: str
) -> None:
    with pytest.raises(DatastoreError) as refused:
        taken(Frames(10, encoding), b"\1\0\0\0\3abc")

    assert (refused.value.code, str(refused.value)) == (code, text)


def compressed(data: bytes) -> bytes:
    packed = gzip.compress(data)
    return b"\1" + len(packed).to_bytes(4, "big") + packed


def test_gzip_is_known() -> None:
    assert taken(Frames(100, "gzip"), compressed(b"abc")) == [[b"abc"]]


def test_a_small_message_that_becomes_too_long_is_refused() -> None:
    with pytest.raises(MessageTooLarge, match=r"\(2001 vs. 2000\)"):
        taken(Frames(2_000, "gzip"), compressed(bytes(1 << 20)))


def test_gzip_that_is_none_is_refused() -> None:
    with pytest.raises(DatastoreError, match="failed to decompress"):
        taken(Frames(100, "gzip"), b"\1\0\0\0\3abc")


def test_a_body_that_ends_in_a_message_is_refused() -> None:
    frames = Frames(10)
    taken(frames, b"\0\0\0\0\3ab")

    with pytest.raises(CutShort):
        frames.end()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("100m", 0.1),
        ("2S", 2.0),
        ("1H", 3600.0),
        ("5S", 5.0),
        ("", None),
        ("x", None),
        ("m", None),
    ],
)
def test_the_deadline_is_read_from_its_header(header: str, seconds: float | None) -> None:
    assert timeout([("te", "trailers"), ("grpc-timeout", header)]) == seconds
