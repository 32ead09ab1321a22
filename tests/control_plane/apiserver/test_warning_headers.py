"""Warning headers: their form, their limits, and what is left out."""

from control_plane.apiserver.http.warning_headers import warning_values


def texts(values: list[bytes]) -> list[str]:
    return [value.decode().removeprefix('299 - "').removesuffix('"') for value in values]


def test_quotes_and_backslashes_are_escaped() -> None:
    assert warning_values(['unknown field "spec.\\x"']) == [
        b'299 - "unknown field \\"spec.\\\\x\\""'
    ]


def test_a_text_with_control_characters_is_left_out() -> None:
    assert texts(warning_values(["a\nb", "", "\u00e9\u00a0"])) == ["\u00e9\u00a0"]


def test_as_much_as_fits_stays_whole() -> None:
    kept = ["a" * 4000, "b" * 96]
    assert texts(warning_values(kept)) == kept


def test_what_is_too_long_cuts_all_of_them() -> None:
    long = [character * 1000 for character in "abcde"]
    assert texts(warning_values(long)) == [character * 256 for character in "abcde"]
    assert texts(warning_values(["a" * 5000])) == ["a" * 256]


def test_no_more_are_added_when_enough_is_written() -> None:
    many = [f"{number:04}" + "x" * 300 for number in range(40)]
    values = texts(warning_values(many))
    assert values == [text[:256] for text in many[:16]]
    short = [f"{number:04}" for number in range(2000)]
    assert len(warning_values(short)) == 1025  # the one that was too much is written all the same
