"""HTTP headers as gRPC metadata: what the gateway tells a method of its caller. Pure.

`Grpc-Metadata-X` becomes `x`; `Authorization` is passed on; the standard headers get the prefix
`grpcgateway-`, of which `grpcgateway-accept` marks the call as the gateway's; others are dropped.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING

from datastore.gateway.statuses import BadBody

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Metadata = list[tuple[str, str | bytes]]
OURS = "grpc-metadata-"
MARK = "grpcgateway-accept"
STANDARD = frozenset(
    (
        "accept", "accept-charset", "accept-language", "accept-ranges", "authorization",
        "cache-control", "content-type", "cookie", "date", "expect", "from", "host", "if-match",
        "if-modified-since", "if-none-match", "if-schedule-tag-match", "if-unmodified-since",
        "max-forwards", "origin", "pragma", "referer", "user-agent", "via", "warning",
    )
)  # fmt: skip
_BASE64 = re.compile(r"[A-Za-z0-9+/]*")
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TIMEOUT = re.compile(r"(\d{1,18})([HMSmun])", re.ASCII)


def metadata_of(headers: Iterable[tuple[bytes, bytes]]) -> Metadata:
    """Return the metadata of a request's headers (names in lower case)."""
    made = [pair for name, value in headers for pair in _forwarded(name, value)]
    if not any(name == MARK for name, _ in made):
        made.append((MARK, ""))
    return made


def _forwarded(raw_name: bytes, raw_value: bytes) -> Iterator[tuple[str, str | bytes]]:
    name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
    if name in STANDARD:
        yield f"grpcgateway-{name}", value
    if name == "authorization":
        yield name, value
    if name.startswith(OURS):
        name = name.removeprefix(OURS)
        yield name, _binary(name, value) if name.endswith("-bin") else value


def _binary(name: str, value: str) -> bytes:
    try:
        return b64decode(value + "=" * (-len(value) % 4), validate=True)
    except Base64Error:
        header, valid = f"{OURS}{name}".title(), _BASE64.match(value)
        at = valid.end() if valid else 0
        text = f"illegal base64 data at input byte {at}"
        raise BadBody(f"invalid binary header {header}: {text}") from None


def timeout_of(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """Return the seconds of a Grpc-Timeout header, None without one."""
    text = next((value.decode("latin-1") for name, value in headers if name == b"grpc-timeout"), "")
    if not text:
        return None
    found = _TIMEOUT.fullmatch(text)
    if not found:
        raise BadBody(f"invalid grpc-timeout: {text}")
    return int(found[1]) * _UNITS[found[2]]
