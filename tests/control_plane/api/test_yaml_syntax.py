"""YAML bodies as go-yaml v2 reads them, with which Kubernetes does."""

from typing import Any

import pytest

from control_plane.api.yaml_syntax import YamlSyntaxError, decode


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("12:30", "12:30"), ("22:22:22", "22:22:22"), ("0777", 511), ("0o17", 15), ("08", 8),
        ("0x1F", 31), ("0b11", 3), ("-0b11", -3), ("1_000", 1000), ("+5", 5), ("0", 0),
        ("1e3", 1000), ("1.0", 1), ("1.5", 1.5), (".5", 0.5), ("1e-3", 0.001), ("1e", "1e"),
        ("0x", "0x"), ("1.2.3", "1.2.3"), ("10.0.0.1", "10.0.0.1"), ("500m", "500m"),
        ("2026-01-02", "2026-01-02"), ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("yes", True), ("y", True), ("On", True), ("no", False), ("N", False), ("off", False),
        ("yEs", "yEs"), ("yaml", "yaml"), ("nothing", "nothing"), ("~", None), ("Null", None),
        ("", None), ("nUll", "nUll"), ("'yes'", "yes"), ('"0777"', "0777"), ("!!str 5", "5"),
        ("+", "+"), (".", "."), ("=", "="), ("12345678901234567890123", 1.2345678901234567e22),
    ],
)  # fmt: skip
def test_plain_words_are_what_they_are_in_go(word: str, value: Any) -> None:
    found = decode(f"a: {word}\n".encode()).value["a"]
    assert (found, type(found)) == (value, type(value))


def test_keys_are_text() -> None:
    assert decode(b"{1: a, y: b, 1.5: c}").value == {"1": "a", "true": "b", "1.5": "c"}


def test_maps_are_merged_in_their_order() -> None:
    text = b"""
one: &one {a: 1, b: 1}
two: &two {b: 2, c: 2}
own: {<<: *one, d: 3}
both: {<<: [*one, *two], d: 3}
text: {"<<": 1}
"""
    found = decode(text)
    assert found.value["own"] == {"a": 1, "b": 1, "d": 3}
    assert found.value["both"] == {"a": 1, "b": 1, "c": 2, "d": 3}
    assert found.value["text"] == {"<<": 1}


def test_what_a_merge_brings_twice_is_noted() -> None:
    found = decode(b"a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n")
    assert found.value["b"] == {"x": 2}
    assert found.repeats == ('line 4: key "x" already set in map',)


@pytest.mark.parametrize(
    "text", ["{<<: 5}", "{<<: [1]}", "&a {<<: *a}", "{a: !!bool x}", "{a: .inf}"]
)
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(YamlSyntaxError):
        decode(text.encode())


def test_merges_cannot_multiply_a_document() -> None:
    doubled = (f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}" for i in range(1, 45))
    with pytest.raises(YamlSyntaxError, match="excessive aliasing"):
        decode("\n".join(("a0: &a0 {x: 1}", *doubled)).encode())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "yaml: line 1: did not find expected node content"),
        ("\t", "yaml: found character that cannot start any token"),
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("a: b\n c: d\n", "yaml: line 2: mapping values are not allowed in this context"),
        ("a: b\nc\nd: e", "yaml: line 3: could not find expected ':'"),
        ("a: b\n- c", "yaml: line 1: did not find expected key"),
        ("x: \x01", "yaml: control characters are not allowed"),
    ],
)
def test_what_is_wrong_is_said_as_upstream_says_it(text: str, message: str) -> None:
    with pytest.raises(YamlSyntaxError, match=f"^{message}$"):
        decode(text.encode())
