"""Keys that a write has changed are found by range, whatever order they came in."""

from datastore.mvcc.model import Row
from datastore.mvcc.overlay import FEW, Overlay


def _put(overlay: Overlay, key: bytes, number: int) -> None:
    overlay[key] = Row(number, key, b"", 1, 1, 0, 0, 0)


def _seen(overlay: Overlay, key: bytes, end: bytes) -> list[tuple[bytes, int]]:
    return [(changed, row.id) for changed, row in overlay.within(key, end)]


def test_a_range_sees_keys_that_came_since_the_last_one() -> None:
    overlay = Overlay()
    assert _seen(overlay, b"a", b"\0") == []
    for number in range(3 * FEW):
        _put(overlay, b"k%02d" % (number * 7 % (3 * FEW)), number)
    assert [key for key, _ in _seen(overlay, b"k", b"l")] == sorted(overlay)

    _put(overlay, b"k05", 100)
    _put(overlay, b"k050", 101)
    _put(overlay, b"a", 102)
    assert _seen(overlay, b"k05", b"k06") == [(b"k05", 100), (b"k050", 101)]
    assert _seen(overlay, b"k05", b"") == [(b"k05", 100)]
    assert _seen(overlay, b"", b"b") == [(b"a", 102)]
    assert len(_seen(overlay, b"a", b"\0")) == len(overlay)
    assert _seen(overlay, b"z", b"a") == []
