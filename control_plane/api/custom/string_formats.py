"""FORMATS: the formats of strings that schemas may name, without the dashes of their names.

A format without a row says nothing about values. Source: the default registry of
k8s.io/kube-openapi/pkg/validation/strfmt as apiextensions v1.35 uses it. Pure.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from control_plane.api.validation import formats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HEX: Final = "[0-9a-fA-F]"
_BYTE: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LABEL: Final = (
    r"[a-zA-Z0-9\u0080-\uffff](?:[a-zA-Z0-9\-\u0080-\uffff]{0,61}[a-zA-Z0-9\u0080-\uffff])?"
)
_DURATION_UNITS: Final = (
    "ns|nano|us|µs|μs|micro|ms|milli|s|sec|second|seconds|m|min|minute|minutes|h|hr|hour|hours|"
    "d|day|days|w|wk|week|weeks"
)
_MAX_HOST: Final = 255
_CARD: Final = re.compile(
    r"(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|"
    r"3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11})"
)


def _matching(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


def _uuid(version: str) -> Callable[[str], bool]:
    return _matching(f"{_HEX}{{8}}-?{_HEX}{{4}}-?{version}{_HEX}{{3}}-?{_HEX}{{4}}-?{_HEX}{{12}}")


def _ip(version: int) -> Callable[[str], bool]:
    def is_address(text: str) -> bool:
        found = formats.parsed_ip(text)
        return found is not None and found.version == version

    return is_address


def _cidr(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return "/" in text and text.rpartition("/")[2].isdigit()


def _date(text: str) -> bool:
    try:
        datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=datetime.UTC)
    except ValueError:
        return False
    return len(text) == len("2000-01-01")


_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt\s](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


def _date_time(text: str) -> bool:
    found = _TIME.fullmatch(text)
    if found is None or not _date(found[1]):
        return False
    hour, minute, second = (int(found[index]) for index in (2, 3, 4))
    return hour < 24 and minute < 60 and second < 60


def _uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme) or text.startswith("/")


def _email(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    shown = re.fullmatch(r".*<([^<>]+)>\s*", text)
    if shown:
        return _email(shown[1])
    return bool(local and domain) and not re.search(r"[\s<>,;:\\]", local + domain)


_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")


def _hostname(text: str) -> bool:
    return len(text) <= _MAX_HOST and _HOST.fullmatch(text) is not None


def _byte(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return bool(text)


def _isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch("[0-9]{9}[0-9X]", digits):
        return False
    values = [10 if digit == "X" else int(digit) for digit in digits]
    return sum((10 - place) * value for place, value in enumerate(values)) % 11 == 0


def _isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch("[0-9]{13}", digits):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


def _card(text: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", text)
    if _CARD.fullmatch(digits) is None:
        return False
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0


def _short_name(text: str) -> bool:
    return not formats.dns1123_label(text)


def _long_name(text: str) -> bool:
    return not formats.dns1123_subdomain(text)


FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "bsonobjectid": _matching(f"{_HEX}{{24}}"),
    "byte": _byte,
    "cidr": _cidr,
    "creditcard": _card,
    "date": _date,
    "datetime": _date_time,
    "duration": _matching(rf"-?\s*(?:(?:\d+(?:\.\d*)?|\.\d+)\s*(?:{_DURATION_UNITS})\s*)+|-?0"),
    "email": _email,
    "hexcolor": _matching(f"#?(?:{_HEX}{{3}}|{_HEX}{{6}})"),
    "hostname": _hostname,
    "ipv4": _ip(4),
    "ipv6": _ip(6),
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "k8slongname": _long_name,
    "k8sshortname": _short_name,
    "mac": _matching(
        f"(?:{_HEX}{{2}}([:-]))(?:{_HEX}{{2}}\\1){{4}}{_HEX}{{2}}|(?:{_HEX}{{4}}\\.){{2}}{_HEX}{{4}}"
    ),
    "rgbcolor": _matching(rf"rgb\(\s*{_BYTE}\s*,\s*{_BYTE}\s*,\s*{_BYTE}\s*\)"),
    "ssn": _matching(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "uri": _uri,
    "uuid": _uuid(_HEX),
    "uuid3": _uuid("3"),
    "uuid4": _matching(
        f"{_HEX}{{8}}-?{_HEX}{{4}}-?4{_HEX}{{3}}-?[89abAB]{_HEX}{{3}}-?{_HEX}{{12}}"
    ),
    "uuid5": _matching(
        f"{_HEX}{{8}}-?{_HEX}{{4}}-?5{_HEX}{{3}}-?[89abAB]{_HEX}{{3}}-?{_HEX}{{12}}"
    ),
}


def is_known(name: str) -> bool:
    """Tell whether a schema's format is one of these; dashes do not count."""
    return name.replace("-", "") in FORMATS
