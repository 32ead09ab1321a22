"""url('https://example.com/a?b=c'): absolute URLs and absolute paths.

Source: the URL library of Kubernetes; what is one follows net/url's ParseRequestURI.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.functions import function, member
from control_plane.api.cel.types import BOOL, STRING, list_of, map_of, opaque
from control_plane.api.cel.values import register

URL: Final = opaque("kubernetes.URL")
_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
_PATH_SAFE: Final = "$&+,/:;=@!'()*~"


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its parts."""

    parts: SplitResult


register(Url, URL.name)


def _tenth(text: str) -> int:
    return (len(text) + 9) // 10


def _read(text: str) -> Url | None:
    if not (text.startswith("/") or _SCHEME.match(text)) or re.search(r"[\x00-\x1f\x7f]", text):
        return None
    try:
        parts = urlsplit(text.replace("#", "%23"))
        valid_port = parts.port is None or parts.port >= 0
    except ValueError:
        return None
    if not valid_port or " " in parts.netloc or _ESCAPE.search(parts.path):
        return None
    return Url(parts)


def is_url(text: str) -> bool:
    """Tell whether a text is a URL."""
    return _read(text) is not None


def _parse(text: str) -> Url:
    found = _read(text)
    if found is None:
        message = f'parse "{text}": invalid URI for request'
        raise EvaluationError(f"URL parse error during conversion from string: {message}")
    return found


def _host(url: Url) -> str:
    return url.parts.netloc.rpartition("@")[2]


def _hostname(url: Url) -> str:
    host = _host(url)
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _port(url: Url) -> str:
    return _host(url).rpartition("]")[2].partition(":")[2]


def _query(url: Url) -> dict[str, list[str]]:
    return parse_qs(url.parts.query, keep_blank_values=True)


def _escaped_path(url: Url) -> str:
    return quote(unquote(url.parts.path), safe=_PATH_SAFE)


LIBRARY: Final = (
    function("url", (STRING,), URL, _parse, _tenth),
    function("isURL", (STRING,), BOOL, is_url, _tenth),
    member("getScheme", (URL,), STRING, lambda url: url.parts.scheme),
    member("getHost", (URL,), STRING, _host),
    member("getHostname", (URL,), STRING, _hostname),
    member("getPort", (URL,), STRING, _port),
    member("getEscapedPath", (URL,), STRING, _escaped_path),
    member("getQuery", (URL,), map_of(STRING, list_of(STRING)), _query),
)
