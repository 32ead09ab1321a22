"""Name formats, generated names and the hashes that controllers put into names.

Each `*_errors` function returns the messages upstream gives for a bad value, [] for a good one.
Validation, label selectors and the create path call them. Pure but for the random part of generated
names.
Source: the API machinery's validation of names and its random and hashing helpers, v1.35.
"""

from __future__ import annotations

import functools
import re
import secrets
from typing import Final

# Neither vowels nor 0, 1 and 3, so that no word can be spelled by chance.
SAFE_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_SAFE_LETTERS: Final = bytes(ord(SAFE_ALPHABET[byte % len(SAFE_ALPHABET)]) for byte in range(256))
RANDOM_LENGTH: Final = 5
_MAX_GENERATED_BASE: Final = 63 - RANDOM_LENGTH

_LABEL_1123: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL_1123}(\.{_LABEL_1123})*"
_LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE: Final = f"({_QUALIFIED})?"
_CONFIG_KEY: Final = "[-._a-zA-Z0-9]+"


def regex_message(text: str, pattern: str, *examples: str) -> str:
    """Word "text (e.g. 'a',  or 'b', regex used for validation is 'p')" as upstream does."""
    if not examples:
        return f"{text} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{text} (e.g. {shown}regex used for validation is '{pattern}')"


_LABEL_1123_MESSAGE: Final = regex_message(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    _LABEL_1123, "my-name", "123-abc",
)  # fmt: skip
_SUBDOMAIN_MESSAGE: Final = regex_message(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character",
    _SUBDOMAIN, "example.com",
)  # fmt: skip
_LABEL_1035_MESSAGE: Final = regex_message(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character",
    _LABEL_1035, "my-name", "abc-123",
)  # fmt: skip
_QUALIFIED_TEXT: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character"
)
_QUALIFIED_MESSAGE: Final = regex_message(
    _QUALIFIED_TEXT, _QUALIFIED, "MyName", "my.name", "123-abc"
)
_LABEL_VALUE_MESSAGE: Final = regex_message(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character",
    _LABEL_VALUE, "MyValue", "my_value", "12345",
)  # fmt: skip
_CONFIG_KEY_MESSAGE: Final = regex_message(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG_KEY, "key.name", "KEY_NAME", "key-name",
)  # fmt: skip


_LONGEST_QUALIFIED: Final = 253 + 1 + 63


def _too_long(value: str, limit: int, unit: str) -> list[str]:
    over = len(value.encode(errors="surrogatepass")) > limit
    return [f"must be no more than {limit} {unit}"] if over else []


def _matches(pattern: str, value: str) -> bool:
    return _compiled(pattern).fullmatch(value) is not None


@functools.cache  # of the patterns above; re's own cache costs more than most matches
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def dns1123_label_errors(value: str) -> list[str]:
    """Check a DNS-1123 label: at most 63 lower-case letters, digits and "-"."""
    errors = _too_long(value, 63, "characters")
    if not _matches(_LABEL_1123, value):
        is_subdomain = _matches(_SUBDOMAIN, value)
        errors.append("must not contain dots" if is_subdomain else _LABEL_1123_MESSAGE)
    return errors


def dns1123_subdomain_errors(value: str) -> list[str]:
    """Check a DNS-1123 subdomain: at most 253 characters, labels joined by dots."""
    errors = _too_long(value, 253, "characters")
    return errors if _matches(_SUBDOMAIN, value) else [*errors, _SUBDOMAIN_MESSAGE]


def dns1035_label_errors(value: str) -> list[str]:
    """Check a DNS-1035 label: as a DNS-1123 label, but it begins with a letter."""
    errors = _too_long(value, 63, "characters")
    return errors if _matches(_LABEL_1035, value) else [*errors, _LABEL_1035_MESSAGE]


def qualified_name_errors(value: str) -> list[str]:
    """Check a label key or other "prefix/name": 63 bytes of name, optional subdomain prefix."""
    if len(value) > _LONGEST_QUALIFIED:
        return _qualified_name_errors(value)
    return list(_known_qualified_name_errors(value))


@functools.lru_cache(maxsize=4096)  # the same keys are in most objects
def _known_qualified_name_errors(value: str) -> tuple[str, ...]:
    return tuple(_qualified_name_errors(value))


def _qualified_name_errors(value: str) -> list[str]:
    prefix, slash, name = value.partition("/")
    if not slash:
        return _name_part_errors(value)
    if "/" in name:
        return [
            f"a valid label key {_QUALIFIED_MESSAGE} with an optional DNS subdomain prefix and "
            "'/' (e.g. 'example.com/MyName')"
        ]
    if not prefix:
        return ["prefix part must be non-empty", *_name_part_errors(name)]
    prefix_errors = [f"prefix part {error}" for error in dns1123_subdomain_errors(prefix)]
    return prefix_errors + _name_part_errors(name)


def _name_part_errors(name: str) -> list[str]:
    errors = [] if name else ["name part must be non-empty"]
    errors += [f"name part {error}" for error in _too_long(name, 63, "bytes")]
    if not _matches(_QUALIFIED, name):
        errors.append(f"name part {_QUALIFIED_MESSAGE}")
    return errors


def label_value_errors(value: str) -> list[str]:
    """Check a label's value: empty, or at most 63 bytes of letters, digits, "-", "_" and "."."""
    errors = _too_long(value, 63, "bytes")
    return errors if _matches(_LABEL_VALUE, value) else [*errors, _LABEL_VALUE_MESSAGE]


def config_key_errors(value: str) -> list[str]:
    """Check a key of a ConfigMap or Secret, which becomes a file name."""
    errors = _too_long(value, 253, "characters")
    if not _matches(_CONFIG_KEY, value):
        errors.append(_CONFIG_KEY_MESSAGE)
    if value == ".":
        errors.append("must not be '.'")
    elif value == "..":
        errors.append("must not be '..'")
    elif value.startswith(".."):
        errors.append("must not start with '..'")
    return errors


def path_segment_errors(value: str) -> list[str]:
    """Check a name that may be any path segment (roles, bindings, events)."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in value]


def port_name_errors(value: str) -> list[str]:
    """Check a port's name: 15 lower-case letters, digits, single hyphens; at least one letter."""
    errors = _too_long(value, 15, "characters")
    if not _matches("[-a-z0-9]+", value):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        errors.append("must contain at least one letter (a-z)")
    if "--" in value:
        errors.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def mask_trailing_dash(prefix: str) -> str:
    """Return a generateName as its kind's name rule checks it: a last "-" counts as a letter."""
    if len(prefix) > 1 and prefix.endswith("-"):
        return f"{prefix[:-2]}a"
    return prefix


def generate_name(base: str) -> str:
    """Return `base`, cut to 58 characters, with 5 random characters of the safe alphabet."""
    return base[:_MAX_GENERATED_BASE] + random_suffix()


def random_suffix(length: int = RANDOM_LENGTH) -> str:
    """Return that many random characters of the safe alphabet."""
    return secrets.token_bytes(length).translate(_SAFE_LETTERS).decode()


def safe_encode(text: str) -> str:
    """Map every byte of `text` into the safe alphabet, one to one by value modulo its length."""
    return text.encode().translate(_SAFE_LETTERS).decode()


def fnv1a_32(data: bytes) -> int:
    """Return the 32-bit FNV-1a hash."""
    digest = 0x811C9DC5
    for byte in data:
        digest = ((digest ^ byte) * 0x01000193) & 0xFFFFFFFF
    return digest
