"""Who asks, as the header lines of a front proxy. Pure.

Source: the auth proxy round tripper of client-go v1.35.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from control_plane.apiserver.auth.user import User
from control_plane.apiserver.proxying.header_rules import Header

_USER, _UID, _GROUP = b"x-remote-user", b"x-remote-uid", b"x-remote-group"
_EXTRA = b"x-remote-extra-"
_IMPERSONATE = b"impersonate-"
_TOKEN = "!#$&'*+-.^_`|~"  # what header names may have besides letters and digits


def with_identity(lines: Sequence[Header], user: User) -> list[Header]:
    """The lines, saying of the user what this server knows and not what the client says."""
    return [*(line for line in lines if not _says_who(line[0])), *_identity(user)]


def _says_who(name: bytes) -> bool:
    return name in (_USER, _UID, _GROUP, b"authorization") or name.startswith(
        (_EXTRA, _IMPERSONATE)
    )


def _identity(user: User) -> Iterator[Header]:
    yield _USER, user.name.encode()
    if user.uid:
        yield _UID, user.uid.encode()
    for group in user.groups:
        yield _GROUP, group.encode()
    for key, values in user.extra.items():
        name = _EXTRA + quote(key.lower(), safe=_TOKEN).encode()
        for value in values:
            yield name, value.encode()
