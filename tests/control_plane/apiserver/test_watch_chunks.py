"""A watch is sent in small pieces: many clients that do not read must not fill the memory."""

from collections.abc import Iterator

import pytest

from control_plane.apiserver.http.watch_reply import CHUNK_BYTES, in_chunks


@pytest.mark.parametrize("length", [1, 1000, CHUNK_BYTES - 1, CHUNK_BYTES, 3 * CHUNK_BYTES])
def test_chunks_are_small_and_hold_whole_lines_in_order(length: int) -> None:
    lines = [b"%d" % number * length + b"\n" for number in range(10)]
    chunks = list(in_chunks(lines))
    assert b"".join(chunks) == b"".join(lines)
    for chunk in chunks:
        assert chunk.endswith(b"\n")
        *before, last = chunk.splitlines(keepends=True)
        assert len(b"".join(before)) < CHUNK_BYTES
        assert last in lines


def test_nothing_is_no_chunk() -> None:
    assert list(in_chunks([])) == []


def test_a_line_is_made_only_when_its_chunk_is_due() -> None:
    made = []

    def lines() -> Iterator[bytes]:
        for number in range(10):
            made.append(number)
            yield b"x" * CHUNK_BYTES

    next(in_chunks(lines()))
    assert made == [0]
