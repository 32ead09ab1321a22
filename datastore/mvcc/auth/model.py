"""The words of auth: users, roles, permissions, and who a caller says that he is.

Names are str as on the wire; keys and ranges are bytes and mean what they mean in a Range.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

ROOT = "root"  # the user and the role of that name
OPEN_END = b"\0"
FIRST_REVISION = 1


class Access(IntEnum):
    """What a permission allows; numbers that etcd does not know are stored, and allow nothing."""

    READ = 0
    WRITE = 1
    READWRITE = 2


class Permission(NamedTuple):
    """Access to a key range: end b"" is the key alone, b"\\0" every key from `key` on."""

    access: int
    key: bytes
    end: bytes = b""


ROOT_PERMISSION = Permission(Access.READWRITE, b"", OPEN_END)  # what RoleGet shows for root


class User(NamedTuple):
    """A user. The password is a bcrypt hash, b"" when nothing matches; roles are in byte order."""

    name: str
    password: bytes = b""
    no_password: bool = False
    roles: tuple[str, ...] = ()


class Role(NamedTuple):
    """A role; its permissions are in key order, those of one key in the order of their grants."""

    name: str
    permissions: tuple[Permission, ...] = ()


class AuthState(NamedTuple):
    """Whether auth is on, and how often users, roles and permissions have changed."""

    enabled: bool
    revision: int


class AuthTables(NamedTuple):
    """Everything of auth that the database holds, but for the tokens."""

    state: AuthState
    users: dict[str, User]
    roles: dict[str, Role]


class Token(NamedTuple):
    """A simple token as it is stored: its digest, its user, and until when it is good (ms)."""

    digest: bytes
    user: str
    expires: int


@dataclass(slots=True)
class AuthChanges:
    """What a management call writes; drop_tokens_of names users, None in it means everybody's."""

    state: AuthState | None = None
    put_users: list[User] = field(default_factory=list)
    drop_users: list[str] = field(default_factory=list)
    put_roles: list[Role] = field(default_factory=list)
    drop_roles: list[str] = field(default_factory=list)
    drop_tokens_of: list[str | None] = field(default_factory=list)
    put_tokens: list[Token] = field(default_factory=list)
    drop_tokens_before: int | None = None  # tokens that expired before this time (ms)
    renew_tokens: list[bytes] = field(default_factory=list)  # by digest, if they are still there
    renew_until: int = 0  # their new expiry (ms)


class Credentials(NamedTuple):
    """What a call brings: a token, and the common name of its verified client certificate.

    None is none of the kind. An empty token is a bad one, an empty name a user without rights.
    `room` is how many bytes a request may still grow by, said only where they are few: etcd counts
    the name and the auth revision of the user that it finds out as part of the request.
    """

    token: str | None = None
    common_name: str | None = None
    room: int | None = None


NOBODY = Credentials()


class NamedUser(NamedTuple):
    """A user as a token or a certificate names him, and the auth revision that he was named at."""

    name: str
    revision: int

    @property
    def size(self) -> int:
        """The bytes it takes in etcd's internal request: name and revision, with their tags."""
        name = len(self.name.encode())
        sizes = (_varint_size(name) + name if name else -1, _varint_size(self.revision))
        return sum(sizes) + 2


def _varint_size(number: int) -> int:
    return max((number.bit_length() + 6) // 7, 1)
