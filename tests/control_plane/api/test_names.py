"""Names: formats with upstream's messages, generated names, hashes."""

from collections.abc import Callable

import pytest

from control_plane.api import names

Check = Callable[[str], list[str]]

LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    r"for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (names.dns1123_label_errors, "0-a"),
        (names.dns1123_label_errors, "a" * 63),
        (names.dns1123_subdomain_errors, "a.b-c.0"),
        (names.dns1035_label_errors, "a-0"),
        (names.qualified_name_errors, "example.com/My_Name.x"),
        (names.label_value_errors, ""),
        (names.label_value_errors, "My_Value.1"),
        (names.config_key_errors, ".profile"),
        (names.path_segment_errors, "system:node"),
        (names.port_name_errors, "http-2"),
    ],
)
def test_good_names(check: Check, good: str) -> None:
    assert check(good) == []


@pytest.mark.parametrize(
    ("check", "bad", "messages"),
    [
        (names.dns1123_label_errors, "A", [LABEL]),
        (names.dns1123_label_errors, "a\n", [LABEL]),
        (names.dns1123_label_errors, "a.b", ["must not contain dots"]),
        (names.dns1123_label_errors, "a" * 64, ["must be no more than 63 characters"]),
        (names.dns1123_subdomain_errors, "a..b", [SUBDOMAIN]),
        (names.dns1123_subdomain_errors, "ä", [SUBDOMAIN]),
        (names.dns1123_subdomain_errors, "a" * 254, ["must be no more than 253 characters"]),
        (names.dns1035_label_errors, "0a", [LABEL_1035]),
        (names.qualified_name_errors, "A..b/x", ["prefix part " + SUBDOMAIN]),
        (names.label_value_errors, "a" * 64, ["must be no more than 63 bytes"]),
        (names.config_key_errors, ".", ["must not be '.'"]),
        (names.config_key_errors, "..", ["must not be '..'"]),
        (names.config_key_errors, "..a", ["must not start with '..'"]),
        (names.path_segment_errors, "..", ["may not be '..'"]),
        (names.path_segment_errors, "a/%", ["may not contain '/'", "may not contain '%'"]),
        (names.port_name_errors, "a--b", ["must not contain consecutive hyphens"]),
        (names.port_name_errors, "12", ["must contain at least one letter (a-z)"]),
        (names.port_name_errors, "a-", ["must not begin or end with a hyphen"]),
    ],
)
def test_bad_names(check: Check, bad: str, messages: list[str]) -> None:
    assert check(bad) == messages


def test_a_generated_name_keeps_58_characters_of_its_base() -> None:
    name = names.generate_name("x" * 70)
    assert name.startswith("x" * 58)
    assert len(name) == 63
    assert set(name[58:]) <= set(names.SAFE_ALPHABET)
    assert names.generate_name("web-") != names.generate_name("web-")


@pytest.mark.parametrize(("prefix", "checked"), [("x-", "a"), ("web-", "wea"), ("web", "web")])
def test_a_trailing_dash_of_generate_name_is_forgiven(prefix: str, checked: str) -> None:
    assert names.mask_trailing_dash(prefix) == checked


def test_hashes_are_written_in_the_safe_alphabet() -> None:
    # Published test vectors of FNV-1a.
    assert names.fnv1a_32(b"") == 0x811C9DC5
    assert names.fnv1a_32(b"foobar") == 0xBF9CF968
    assert set(names.safe_encode("1234567890")) <= set(names.SAFE_ALPHABET)
    assert names.safe_encode("abc") == names.safe_encode("abc")
