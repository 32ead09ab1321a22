"""Users, roles, permissions and tokens: nothing is left of those that are gone, and root is there.

As in etcd the role root may be held without being there, a permission may have a kind of access
that nobody knows, which allows nothing, and a client may have stored for a password's hash what is
none, which nothing matches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, literal, not_, or_, select

from datastore.backends.schema import (
    auth_grant,
    auth_permission,
    auth_role,
    auth_user,
    meta,
    token,
)
from datastore.mvcc.auth.model import OPEN_END
from datastore.tools.checks.check import Check, each, shown

if TYPE_CHECKING:
    from sqlalchemy import Row, Select

    from datastore.tools.checks.bounds import Bounds

ROOT = b"root"


def _users(_: Bounds) -> Select[Any]:
    hashed = func.length(auth_user.c.password) != 0
    flag = auth_user.c.no_password.in_((0, 1))
    impossible = or_(~flag, and_(auth_user.c.no_password == 1, hashed))
    return select(auth_user.c.name, auth_user.c.no_password).where(
        or_(func.length(auth_user.c.name) == 0, impossible)
    )


def _user(row: Row[Any]) -> tuple[str, str]:
    where = f"user {shown(row.name)}"
    return where, f"cannot be: without a name, no_password {row.no_password}, or with a password"


def _grants(_: Bounds) -> Select[Any]:
    user = exists().where(auth_user.c.name == auth_grant.c.user_name)
    role = exists().where(auth_role.c.name == auth_grant.c.role_name)
    return select(*auth_grant.c).where(
        or_(not_(user), and_(not_(role), auth_grant.c.role_name != ROOT))
    )


def _grant(row: Row[Any]) -> tuple[str, str]:
    return f"user {shown(row.user_name)}", f"holds role {shown(row.role_name)}: one is not there"


def _permissions(_: Bounds) -> Select[Any]:
    role = exists().where(auth_role.c.name == auth_permission.c.role_name)
    key, end = auth_permission.c.key, auth_permission.c.range_end
    no_range = and_(end.not_in((b"", OPEN_END)), end <= key)
    return select(*auth_permission.c).where(or_(not_(role), func.length(key) == 0, no_range))


def _permission(row: Row[Any]) -> tuple[str, str]:
    where = f"role {shown(row.role_name)}"
    return where, f"permission {row.place} cannot be, or the role is gone"


def _tokens(_: Bounds) -> Select[Any]:
    user = exists().where(auth_user.c.name == token.c.user_name)
    return select(token.c.user_name).where(not_(user))


def _token(row: Row[Any]) -> tuple[str, str]:
    return f"user {shown(row.user_name)}", "has a token and is not there"


def _auth(_: Bounds) -> Select[Any]:
    held = exists().where(auth_grant.c.user_name == ROOT, auth_grant.c.role_name == ROOT)
    locked = and_(meta.c.auth_enabled == 1, not_(held))
    impossible = or_(meta.c.auth_enabled.not_in((0, 1)), meta.c.auth_revision < 1, locked)
    return select(literal("root").label("name")).select_from(meta).where(impossible)


def _nobody(row: Row[Any]) -> tuple[str, str]:
    return f"user {row.name}", "auth is on without a root, or its state in meta cannot be"


AUTH = (
    Check(
        "users",
        "each user has a name, and one that is to have no password has none",
        "delete the user and add it again",
        _users,
        each(_user),
    ),
    Check(
        "grants",
        "each role that a user holds is there, and so is the user",
        "delete the row from table auth_grant",
        _grants,
        each(_grant),
    ),
    Check(
        "permissions",
        "each permission belongs to a role, has a key, and its range ends after it",
        "delete the row from table auth_permission",
        _permissions,
        each(_permission),
    ),
    Check(
        "tokens",
        "each token belongs to a user",
        "delete the user's rows from table token",
        _tokens,
        each(_token),
    ),
    Check(
        "auth",
        "auth is on only with a user root that has the role root",
        "turn auth off in table meta: auth_enabled = 0, auth_revision one more",
        _auth,
        each(_nobody),
    ),
)
