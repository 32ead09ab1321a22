"""Which headers of a proxied request and of its answer pass, and which are added. Pure.

Headers are pairs of bytes, names of requests in lower case.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit, urlunsplit

Header = tuple[bytes, bytes]

_HOP_BY_HOP = frozenset(
    {
        b"connection", b"proxy-connection", b"keep-alive", b"proxy-authenticate",
        b"proxy-authorization", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
# The identity of the caller is this server's to know, not the backend's.
_OURS = frozenset({b"authorization", b"expect", b"x-forwarded-for", b"x-forwarded-uri"})
_CORS = frozenset(
    {
        b"access-control-allow-credentials", b"access-control-allow-headers",
        b"access-control-allow-methods", b"access-control-allow-origin",
    }
)  # fmt: skip


def request_headers(headers: Sequence[Header], client: str, path: str) -> list[Header]:
    """What a backend gets of a request from `client` for `path`."""
    dropped = _HOP_BY_HOP | _OURS | _named_by_connection(headers)
    passed = [(name, value) for name, value in headers if name not in dropped]
    return [*passed, *_forwarded(headers, client), (b"x-forwarded-uri", path.encode("latin-1"))]


def upgrade_headers(headers: Sequence[Header], client: str) -> list[Header]:
    """What a backend gets of a request to upgrade the connection: the hop is upgraded, too."""
    passed = [(name, value) for name, value in headers if name not in _OURS]
    return [*passed, *_forwarded(headers, client)]


def answer_headers(headers: Iterable[Header]) -> list[Header]:
    """What a client gets of a backend's answer."""
    lines = [(name.lower(), value) for name, value in headers]
    dropped = _HOP_BY_HOP | _CORS | _named_by_connection(lines)
    return [(name, value) for name, value in lines if name not in dropped]


def first(headers: Sequence[Header], name: bytes) -> str:
    """The first value of a header, "" when absent."""
    return next((value.decode("latin-1") for key, value in headers if key == name), "")


def rewritten(url: str, prefix: str, hosts: Sequence[str]) -> str:
    """A link of a backend's as it has to be for the client, under the path `prefix`.

    Links to other hosts than `hosts` (the backend, by its names) and relative ones stay.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    is_elsewhere = parts.netloc != "" and parts.netloc not in hosts
    if is_elsewhere or not parts.path.startswith("/"):
        return url
    path = parts.path if parts.path.startswith(prefix) else f"{prefix}{parts.path}"
    return urlunsplit(("", "", path, parts.query, parts.fragment))


def _forwarded(headers: Sequence[Header], client: str) -> list[Header]:
    before = [value for name, value in headers if name == b"x-forwarded-for"]
    chain = b", ".join([*before, client.encode()] if client else before)
    return [(b"x-forwarded-for", chain)] if chain else []


def _named_by_connection(headers: Iterable[Header]) -> frozenset[bytes]:
    lines = (value for name, value in headers if name == b"connection")
    return frozenset(word.strip().lower() for line in lines for word in line.split(b","))
