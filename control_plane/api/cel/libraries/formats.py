"""format.dns1123Label().validate('a-b'): the formats of names. Source: the format library of
Kubernetes.

`validate` gives what is wrong, or nothing when nothing is.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.functions import function, member
from control_plane.api.cel.libraries.urls import is_url
from control_plane.api.cel.times import parse_timestamp
from control_plane.api.cel.types import STRING, list_of, opaque, optional_of
from control_plane.api.cel.values import NONE, Optional, register

FORMAT: Final = opaque("kubernetes.NamedFormat")
_UUID: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.I)

Validate = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Format:
    """A format by its name."""

    name: str


register(Format, FORMAT.name)


def _prefix(validate: Validate) -> Validate:
    """Of a prefix of names, to which something will be appended: it may end in a dash."""
    return lambda text: validate(f"{text[:-1]}a" if len(text) > 1 and text[-1] == "-" else text)


def _uuid(text: str) -> list[str]:
    return [] if _UUID.fullmatch(text) else ["does not match the UUID format"]


def _byte(text: str) -> list[str]:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ["invalid base64"]
    return []


def _date(text: str) -> list[str]:
    try:
        datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=datetime.UTC)
    except ValueError:
        return ["invalid date"]
    return []


def _datetime(text: str) -> list[str]:
    try:
        parse_timestamp(text)
    except EvaluationError:
        return ["invalid datetime"]
    return []


def _uri(text: str) -> list[str]:
    return [] if is_url(text) else [f'parse "{text}": invalid URI for request']


_NAMES: Final = (
    "dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "dns1123LabelPrefix",
    "dns1123SubdomainPrefix", "dns1035LabelPrefix", "labelValue", "uri", "uuid", "byte", "date",
    "datetime",
)  # fmt: skip


@functools.cache
def _formats() -> dict[str, Validate]:
    """What each format is; imported late, for validation itself compiles expressions."""
    from control_plane.api.validation import formats

    validators = (
        formats.dns1123_label,
        formats.dns1123_subdomain,
        formats.dns1035_label,
        formats.qualified_name,
        _prefix(formats.dns1123_label),
        _prefix(formats.dns1123_subdomain),
        _prefix(formats.dns1035_label),
        formats.label_value,
        _uri,
        _uuid,
        _byte,
        _date,
        _datetime,
    )
    return dict(zip(_NAMES, validators, strict=True))


def _named(name: str) -> Optional:
    return Optional(Format(name)) if name in _NAMES else NONE


def _validate(wanted: Format, text: str) -> Optional:
    wrong = _formats()[wanted.name](text)
    return Optional(wrong) if wrong else NONE


def _constant(name: str) -> Callable[[], Format]:
    return lambda: Format(name)


LIBRARY: Final = (
    *(function(f"format.{name}", (), FORMAT, _constant(name)) for name in _NAMES),
    function("format.named", (STRING,), optional_of(FORMAT), _named),
    member(
        "validate",
        (FORMAT, STRING),
        optional_of(list_of(STRING)),
        _validate,
        lambda _wanted, text: (len(text) + 9) // 10,
    ),
)
