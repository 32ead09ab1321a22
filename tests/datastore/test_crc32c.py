"""CRC-32C by the table is that of RFC 3720 and of the C library."""

import random

import pytest

from datastore.mvcc import crc32c


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_known_values(data: bytes, crc: int) -> None:
    assert crc32c.extend_by_table(0, data) == crc
    assert crc32c.extend(0, data) == crc


def test_in_pieces_of_any_length() -> None:
    data = random.Random(1).randbytes(1001)
    whole = crc32c.extend_by_table(0, data)

    for cut in (0, 1, 2, 499, 500, 1001):
        first = crc32c.extend_by_table(0, data[:cut])
        assert crc32c.extend_by_table(first, data[cut:]) == whole
    assert crc32c.extend(0, data) == whole
