"""The tables of auth, read whole and written a user or a role at a time.

Used by `SqlTransaction`; what the rows mean is in `datastore.mvcc.auth`. All of it is small and
changes seldom, so a change of a user or a role writes its rows anew.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, LargeBinary, bindparam, delete, select, update

from datastore.backends.schema import (
    auth_grant,
    auth_permission,
    auth_role,
    auth_user,
    meta,
    token,
)
from datastore.mvcc.auth.model import (
    AuthChanges,
    AuthState,
    AuthTables,
    Permission,
    Role,
    Token,
    User,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table

    from datastore.backends.statements import Prepared
    from datastore.backends.transaction import SqlTransaction

_NAMED_BY = (
    (auth_user, 0),
    (auth_grant, 0),
    (auth_role, 0),
    (auth_permission, 0),
    (token, 1),
)


class AuthStatements:
    """The statements of one dialect."""

    def __init__(self, prepare: Callable[[Any], Prepared]) -> None:
        self.state = prepare(select(meta.c.auth_enabled, meta.c.auth_revision))
        self.set_state = prepare(
            update(meta).values(auth_enabled=_number("enabled"), auth_revision=_number("revision"))
        )
        self.users = prepare(select(*auth_user.c))
        self.grants = prepare(select(*auth_grant.c))
        self.roles = prepare(select(*auth_role.c))
        self.permissions = prepare(select(*auth_permission.c).order_by(auth_permission.c.place))
        self.token = prepare(select(*token.c).where(token.c.digest == _bytes("digest")))
        self.drop_tokens = prepare(delete(token))
        self.drop_tokens_before = prepare(delete(token).where(token.c.expires < _number("time")))
        self.drop_rows_of = {
            table.name: prepare(delete(table).where(list(table.c)[column] == _bytes("name")))
            for table, column in _NAMED_BY
        }


def read_tables(tx: SqlTransaction) -> AuthTables:
    """Return everything of auth but the tokens."""
    statements = tx.statements.auth
    enabled, revision = tx.execute(statements.state)[0]
    granted: dict[bytes, list[str]] = defaultdict(list)
    for user, role in sorted(tx.execute(statements.grants)):
        granted[user].append(role.decode())
    permitted: dict[bytes, list[Permission]] = defaultdict(list)
    for role, _, *permission in tx.execute(statements.permissions):
        permitted[role].append(Permission(*permission))
    users = [
        User(name.decode(), password, bool(no_password), tuple(granted[name]))
        for name, password, no_password in tx.execute(statements.users)
    ]
    roles = [
        Role(name.decode(), tuple(permitted[name])) for (name,) in tx.execute(statements.roles)
    ]
    return AuthTables(
        AuthState(bool(enabled), revision),
        {user.name: user for user in users},
        {role.name: role for role in roles},
    )


def read_token(tx: SqlTransaction, digest: bytes) -> Token | None:
    """Return a token by its digest."""
    found = tx.execute(tx.statements.auth.token, digest=digest)
    return Token(found[0][0], found[0][1].decode(), found[0][2]) if found else None


def write_changes(tx: SqlTransaction, changes: AuthChanges) -> None:
    """Write what a management call, or the tokens, have changed."""
    statements = tx.statements.auth
    for user in changes.put_users:
        _put_user(tx, user)
    for name in changes.drop_users:
        _drop(tx, auth_user, name)
        _drop(tx, auth_grant, name)
    for role in changes.put_roles:
        _put_role(tx, role)
    for name in changes.drop_roles:
        _drop(tx, auth_role, name)
        _drop(tx, auth_permission, name)
    if changes.state is not None:
        enabled, revision = changes.state
        tx.send(statements.set_state, enabled=int(enabled), revision=revision)
    _write_tokens(tx, changes)


def _write_tokens(tx: SqlTransaction, changes: AuthChanges) -> None:
    statements = tx.statements.auth
    for name in changes.drop_tokens_of:
        if name is None:
            tx.send(statements.drop_tokens)
        else:
            _drop(tx, token, name)
    if changes.drop_tokens_before is not None:
        tx.send(statements.drop_tokens_before, time=changes.drop_tokens_before)
    if changes.renew_tokens:
        tx.send_among("renew_tokens", changes.renew_tokens, expires=changes.renew_until)
    if changes.put_tokens:
        rows = [(new.digest, new.user.encode(), new.expires) for new in changes.put_tokens]
        tx.insert(token, rows, replace=True)


def _put_user(tx: SqlTransaction, user: User) -> None:
    name = user.name.encode()
    tx.insert(auth_user, [(name, user.password, int(user.no_password))], replace=True)
    _drop(tx, auth_grant, user.name)
    if user.roles:
        tx.insert(auth_grant, [(name, role.encode()) for role in user.roles], replace=False)


def _put_role(tx: SqlTransaction, role: Role) -> None:
    name = role.name.encode()
    tx.insert(auth_role, [(name,)], replace=True)
    _drop(tx, auth_permission, role.name)
    rows = [(name, place, *permission) for place, permission in enumerate(role.permissions)]
    if rows:
        tx.insert(auth_permission, rows, replace=False)


def _drop(tx: SqlTransaction, table: Table, name: str) -> None:
    tx.send(tx.statements.auth.drop_rows_of[table.name], name=name.encode())


def _number(name: str) -> Any:
    return bindparam(name, type_=BigInteger())


def _bytes(name: str) -> Any:
    return bindparam(name, type_=LargeBinary())
