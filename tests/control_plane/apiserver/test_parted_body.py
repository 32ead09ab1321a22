"""The bodies of long lists: what is sent in pieces is what was to be sent."""

from hypothesis import given
from hypothesis import strategies as st

from control_plane.apiserver.http.parted_body import PIECE_BYTES, PartedBody

SIZES = st.lists(
    st.sampled_from([0, 1, 300, PIECE_BYTES // 3, PIECE_BYTES, PIECE_BYTES + 1]), min_size=1
)


@given(SIZES, st.sampled_from([b"", b","]))
def test_pieces_make_the_whole(sizes: list[int], separator: bytes) -> None:
    body = PartedBody([bytes([65 + n % 26]) * size for n, size in enumerate(sizes)], separator)
    whole = separator.join(bytes([65 + n % 26]) * size for n, size in enumerate(sizes))
    pieces = list(body.pieces())
    assert b"".join(pieces) == whole == bytes(body)
    assert len(body) == len(whole)
    assert max(map(len, pieces)) <= PIECE_BYTES + max(sizes) + len(sizes)
