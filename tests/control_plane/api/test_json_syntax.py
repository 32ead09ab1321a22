"""Bodies that are not JSON are refused in the words Go's decoder uses."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from control_plane.api.json_syntax import (
    MAX_DEPTH,
    JsonSyntaxError,
    RepeatedKeys,
    decode,
    decode_with_repeats,
)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "unexpected end of JSON input"),
        (b"x", "invalid character 'x' looking for beginning of value"),
        (b"'", r"invalid character '\'' looking for beginning of value"),
        (b"{bad", "invalid character 'b' looking for beginning of object key string"),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 2}', "invalid character '2' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b"[]x", "invalid character 'x' after top-level value"),
        (b"trux", "invalid character 'x' in literal true (expecting 'e')"),
        (b"1.x", "invalid character 'x' after decimal point in numeric literal"),
        (b"1ex", "invalid character 'x' in exponent of numeric literal"),
        (b"-a", "invalid character 'a' in numeric literal"),
        (b'"\x01"', r"invalid character '\x01' in string literal"),
        (b'"\\q"', "invalid character 'q' in string escape code"),
        (b'"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"),
        (b"NaN", "invalid character 'N' looking for beginning of value"),
        (b'"a\\tb\n"', r"invalid character '\n' in string literal"),
        (b"[" * 100_000, "unexpected end of JSON input"),
        (b"[" * 100_000 + b"]" * 100_000, "exceeded max depth"),
    ],
)
def test_a_syntax_error_has_gos_text(body: bytes, message: str) -> None:
    with pytest.raises(JsonSyntaxError) as caught:
        decode(body)
    assert str(caught.value) == message


@pytest.mark.parametrize("body", [b'"\xff"', b'{"a":"\\ud800"}'])
def test_text_that_is_not_unicode_is_refused(body: bytes) -> None:
    with pytest.raises(JsonSyntaxError, match="invalid JSON"):
        decode(body)


def test_repeated_keys_keep_their_last_value_and_their_order() -> None:
    value = decode_with_repeats(b'{"a":{"b":1,"c":2,"b":3}}')
    assert value == {"a": {"b": 3, "c": 2}}
    assert isinstance(value["a"], RepeatedKeys)
    assert value["a"].pairs == [("b", 1), ("c", 2), ("b", 3)]


@pytest.mark.parametrize("read", [decode, decode_with_repeats])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_is_bounded_by_what_recursion_can_walk(
    read: Callable[[bytes], Any], opening: bytes, closing: bytes
) -> None:
    read(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH)
    with pytest.raises(JsonSyntaxError, match="exceeded max depth"):
        read(opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1))


def test_breadth_is_not_nesting() -> None:
    assert len(decode(b"[" + b'{"a":[]},' * 1000 + b"{}]")) == 1001


@pytest.mark.parametrize("read", [decode, decode_with_repeats])
def test_integers_beyond_64_bits_can_be_written_again(read: Callable[[bytes], Any]) -> None:
    value = read(b'{"a":[18446744073709551616,18446744073709551615,-9223372036854775808]}')
    assert value == {"a": [2.0**64, 2**64 - 1, -(2**63)]}
    assert orjson.loads(orjson.dumps(value)) == value
