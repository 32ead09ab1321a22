"""The requests of auth to the writer: the management calls, and what becomes of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datastore.mvcc.auth.model import NOBODY, Credentials, Token

if TYPE_CHECKING:
    from datastore.mvcc.auth.model import Permission


class EnableAuth(NamedTuple):
    """Turn auth on."""


class DisableAuth(NamedTuple):
    """Turn auth off; every token ends."""


class AddUser(NamedTuple):
    """Add a user by the hash of his password; without one, for certificates only."""

    name: str
    password: bytes
    no_password: bool


class DeleteUser(NamedTuple):
    """Remove a user and his tokens."""

    name: str


class ChangePassword(NamedTuple):
    """Give a user another password, by its hash; his tokens end."""

    name: str
    password: bytes


class GrantRole(NamedTuple):
    """Give a role to a user."""

    user: str
    role: str


class RevokeRole(NamedTuple):
    """Take a role from a user."""

    user: str
    role: str


class AddRole(NamedTuple):
    """Add a role without permissions."""

    name: str


class DeleteRole(NamedTuple):
    """Remove a role, and from every user that has it."""

    name: str


class GrantPermission(NamedTuple):
    """Give a role a permission, or change the access of the one it has on that range."""

    role: str
    permission: Permission | None


class RevokePermission(NamedTuple):
    """Take the permission on exactly this range from a role."""

    role: str
    key: bytes
    end: bytes


Management = (
    EnableAuth
    | DisableAuth
    | AddUser
    | DeleteUser
    | ChangePassword
    | GrantRole
    | RevokeRole
    | AddRole
    | DeleteRole
    | GrantPermission
    | RevokePermission
)


class ManageAuth(NamedTuple):
    """Make a management call; the result is the store's revision."""

    change: Management
    caller: Credentials = NOBODY


class StoreToken(NamedTuple):
    """Make a new token good, if the auth revision is still the one that it was made at.

    The result is the store's revision, 0 when it is not.
    """

    token: Token
    revision: int
    life: int  # ms


class RenewTokens(NamedTuple):
    """Give tokens, by digest, their whole life of so many milliseconds again."""

    digests: list[bytes]
    life: int
