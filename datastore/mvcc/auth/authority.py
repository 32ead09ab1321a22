"""One revision of users, roles and permissions, as the judge of what a user may do. Pure.

The checks and their order are etcd's: a caller without a user is told that the name is empty; a
token older than the store's auth revision, that it is old; an unknown user, or one without the
permission, that it is denied. Only checks of keys look at the token's revision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.errors.auth import AuthRevisionOld, PermissionDenied, UserNameEmpty, UserNotFound
from datastore.mvcc.auth.model import ROOT, Access, AuthTables, NamedUser, Role, User
from datastore.mvcc.auth.permissions import Coverage

if TYPE_CHECKING:
    from collections.abc import Iterable


class Authority:
    """Judges by the auth tables of one revision; immutable but for what it remembers.

    One that is not `settled` is of a batch in progress: its revision may never come to be, so that
    nothing may be remembered under it.
    """

    def __init__(self, tables: AuthTables, *, settled: bool = True) -> None:
        self.tables = tables
        self.settled = settled
        self.revision = tables.state.revision
        self._coverage: dict[str, Coverage] = {}

    def user(self, name: str) -> User | None:
        """Return a user."""
        return self.tables.users.get(name)

    def role(self, name: str) -> Role | None:
        """Return a role."""
        return self.tables.roles.get(name)

    def is_root(self, identity: NamedUser | None) -> bool:
        """Say whether a caller has the role root."""
        user = self.user(identity.name) if identity else None
        return user is not None and ROOT in user.roles

    def require_user(self, identity: NamedUser | None) -> NamedUser:
        """Refuse a caller without a user; whether the user exists is not asked."""
        if identity is None:
            raise UserNameEmpty
        return identity

    def require_root(self, identity: NamedUser | None) -> None:
        """Refuse a caller without the role root."""
        if identity is None or not identity.name:
            raise UserNameEmpty
        if self.user(identity.name) is None:
            raise UserNotFound
        if not self.is_root(identity):
            raise PermissionDenied

    def require_keys(
        self, identity: NamedUser | None, access: Access, key: bytes, end: bytes = b""
    ) -> None:
        """Refuse a caller who may not read, or write, all of a range."""
        if identity is None or not identity.revision:
            raise UserNameEmpty
        if identity.revision < self.revision:
            raise AuthRevisionOld
        user = self.user(identity.name)
        if user is None:
            raise PermissionDenied
        if ROOT not in user.roles and not self._covered(user).allows(access, key, end):
            raise PermissionDenied

    def require_each(
        self, identity: NamedUser | None, access: Access, keys: Iterable[bytes]
    ) -> None:
        """Refuse a caller who may not read, or write, every one of the keys; root always may."""
        if not self.is_root(identity):
            for key in keys:
                self.require_keys(identity, access, key)

    def _covered(self, user: User) -> Coverage:
        coverage = self._coverage.get(user.name)
        if coverage is None:
            roles = filter(None, map(self.role, user.roles))
            coverage = Coverage(p for role in roles for p in role.permissions)
            self._coverage[user.name] = coverage
        return coverage
