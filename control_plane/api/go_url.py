"""URLs as Go's net/url reads them: what is one, its parts, and what is said of what is none.

Source: the grammar of net/url's Parse, which decides what Kubernetes takes for a URL.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from control_plane.api.go_syntax import quote

_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2}).{0,2}", re.DOTALL)
_WRONG_IN_HOST: Final = re.compile(
    r"%(?![0-9a-fA-F]{2}).{0,2}|%(?!25)[0-7][0-9a-fA-F]"
    r"""|[^a-zA-Z0-9_.~!$&'()*+,;=:\[\]<>"%\x80-\U0010ffff-]""",
    re.DOTALL,
)
_NOT_OF_USER: Final = re.compile(r"[^a-zA-Z0-9_.:~!$&'()*+,;=%@-]")
_PORT: Final = re.compile(r"(:[0-9]*)?")


@dataclass(frozen=True, slots=True)
class GoUrl:
    """A URL's parts; "" for what it does not have.

    `user` is what stands before the "@", None without one; `host` has the port, if any.
    """

    scheme: str
    user: str | None
    host: str
    path: str
    query: str
    fragment: str

    @property
    def hostname(self) -> str:
        """The host without port and brackets."""
        if self.host.startswith("["):
            return self.host[1:].partition("]")[0]
        return self.host.partition(":")[0]

    @property
    def port(self) -> str:
        """The digits after the host's colon, "" without any; they may be of no port that is."""
        return self.host.rpartition("]")[2].partition(":")[2]


def read_url(text: str) -> GoUrl:
    """Read an absolute or relative URL; ValueError with Go's text for what is none."""
    told, _, fragment = text.partition("#")
    try:
        url = _read(told)
        told = text
        return dataclasses.replace(url, fragment=_unescaped(fragment))
    except ValueError as error:
        raise ValueError(f"parse {quote(told)}: {error}") from error


def _read(text: str) -> GoUrl:
    if _CONTROL.search(text):
        raise ValueError("net/url: invalid control character in URL")
    if text.startswith(":"):
        raise ValueError("missing protocol scheme")
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    rest, _, query = text[found.end() if found else 0 :].partition("?")
    if not rest.startswith("/"):
        if scheme:
            return GoUrl(scheme, None, "", "", query, "")
        if ":" in rest.partition("/")[0]:
            raise ValueError("first path segment in URL cannot contain colon")
    user, host = None, ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        user, host = _authority(authority, is_web=scheme in ("http", "https"))
    return GoUrl(scheme, user, host, _unescaped(rest), query, "")


def _authority(text: str, *, is_web: bool) -> tuple[str | None, str]:
    before, at, after = text.rpartition("@")
    host = _host(after, is_web=is_web)
    if not at:
        return None, host
    if _NOT_OF_USER.search(before):
        raise ValueError("net/url: invalid userinfo")
    _unescaped(before)
    return before, host


def _host(text: str, *, is_web: bool) -> str:
    opened = text.rfind("[")
    if opened > 0:
        raise ValueError("invalid IP-literal")
    if opened == 0:
        return _address(text)
    name, colon, port = text.partition(":") if is_web else _last_colon(text)
    _check_port(colon + port)
    return _of_host(name) + colon + port


def _address(text: str) -> str:
    inside, closed, port = text[1:].rpartition("]")
    if not closed:
        raise ValueError("missing ']' in host")
    _check_port(port)
    name = _of_host(inside)
    try:
        ipaddress.IPv6Address(name)
    except ValueError as error:
        raise ValueError(f"invalid host: ParseAddr({quote(name)}): unable to parse IP") from error
    return f"[{name}]{port}"


def _check_port(text: str) -> None:
    if not _PORT.fullmatch(text):
        raise ValueError(f"invalid port {quote(text)} after host")


def _last_colon(text: str) -> tuple[str, str, str]:
    name, colon, port = text.rpartition(":")
    return (name, colon, port) if colon else (text, "", "")


def _of_host(text: str) -> str:
    """What escapes of a host's name stand for: bytes beyond ASCII, and the percent sign."""
    if found := _WRONG_IN_HOST.search(text):
        wrong = _three_bytes(found[0])
        if wrong.startswith("%"):
            raise ValueError(f"invalid URL escape {quote(wrong)}")
        raise ValueError(f"invalid character {quote(wrong)} in host name")
    return unquote(text)


def _unescaped(text: str) -> str:
    if found := _BAD_ESCAPE.search(text):
        raise ValueError(f"invalid URL escape {quote(_three_bytes(found[0]))}")
    return unquote(text)


def _three_bytes(text: str) -> str:
    """What an error shows of an escape: a percent sign and the two bytes after it."""
    return text.encode(errors="surrogatepass")[:3].decode(errors="replace")
