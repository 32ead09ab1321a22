"""What a row of the flag table is, and the kinds of values: their texts are Go's, as etcd's are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_DURATION = (1 << 63) / 1e9  # seconds: Go counts nanoseconds in 64 bits
TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


class Kind(NamedTuple):
    """A kind of value: its name, and how its text is read (ValueError says what to write)."""

    name: str
    parse: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Flag:
    """One row: `--name`, `ETCD_NAME` and the key `name` of a configuration file.

    `default` is text, read as a given value is. At most one of the rest is not empty: `no_effect`
    says why the flag is accepted without doing anything, `refused` why only its default is
    accepted, and `instead` names the flag of which this one is the old name.
    """

    name: str
    kind: Kind
    default: str
    help: str
    no_effect: str = ""
    refused: str = ""
    instead: str = ""

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "ETCD_" + self.name.upper().replace("-", "_")

    @property
    def in_files_only(self) -> bool:
        """Whether only a configuration file can say it, in one of its sections."""
        return "." in self.name


def parse_duration(text: str) -> float:
    """Return the seconds of a duration as Go writes it: `10m`, `1h30m`, `500ms`, `0`."""
    sign, digits = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    if digits == "0":
        return 0.0
    if not re.fullmatch(f"(?:{_PART.pattern})+", digits):
        raise ValueError("write a duration like 500ms, 5s or 10m")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(digits))
    if seconds >= LONGEST_DURATION:
        raise ValueError("write a duration of less than 292 years")
    return sign * seconds


def one_of(*words: str) -> Kind:
    """Return the kind of a value that is one of some words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError("write one of " + ", ".join(word or '""' for word in words))
        return text

    return Kind("|".join(filter(None, words)), parse)


def in_any_case(kind: Kind) -> Kind:
    """Return a kind whose values may be written in capitals."""
    return Kind(kind.name, lambda text: kind.parse(text.lower()))


def _parse_boolean(text: str) -> bool:
    if text not in TRUE | FALSE:
        raise ValueError("write true or false")
    return text in TRUE


def _parse_integer(text: str) -> int:
    try:
        number = int(text, 0)
    except ValueError:
        raise ValueError("write a whole number") from None
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError("write a number of at most 64 bits")
    return number


def _parse_unsigned(text: str) -> int:
    number = _parse_integer(text)
    if number < 0:
        raise ValueError("write a whole number that is not negative")
    return number


def _parse_unsigned32(text: str) -> int:
    number = _parse_unsigned(text)
    if number >= 1 << 32:
        raise ValueError("write a number of at most 32 bits")
    return number


def _parse_words(text: str) -> tuple[str, ...]:
    """Return the words of a comma list, each once, in their order."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _parse_urls(text: str) -> tuple[str, ...]:
    """Return the URLs of a comma list, sorted as etcd lists them."""
    return tuple(sorted(_parse_words(text)))


TEXT = Kind("text", str)
BOOLEAN = Kind("boolean", _parse_boolean)
INTEGER = Kind("number", _parse_integer)
UNSIGNED = Kind("number", _parse_unsigned)
UNSIGNED32 = Kind("number", _parse_unsigned32)
DURATION = Kind("duration", parse_duration)
WORDS = Kind("list", _parse_words)
URLS = Kind("URLs", _parse_urls)
