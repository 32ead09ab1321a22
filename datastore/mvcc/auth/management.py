"""What each management call changes: pure, from the tables and a request to the changes.

Each change of users, roles or permissions, and turning auth off, adds one to the auth revision;
turning it on, and granting a role that the user has, do not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from datastore.errors.auth import (
    InvalidAuthManagement,
    NameTooLong,
    PermissionNotGiven,
    PermissionNotGranted,
    RoleExists,
    RoleNameEmpty,
    RoleNotFound,
    RoleNotGranted,
    RootRoleMissing,
    RootUserMissing,
    UserExists,
    UserNameEmpty,
    UserNotFound,
)
from datastore.mvcc.auth import requests
from datastore.mvcc.auth.model import (
    ROOT,
    AuthChanges,
    AuthState,
    AuthTables,
    Permission,
    Role,
    User,
)
from datastore.mvcc.auth.permissions import is_valid

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_NAME = 1_024  # bytes; a user and a role together are one index entry


def manage(tables: AuthTables, request: requests.Management) -> AuthChanges:
    """Return what a request changes; raise the etcd error if it cannot be."""
    changes = _RULES[type(request)](tables, request)
    if changes == AuthChanges() or changes.state is not None:
        return changes
    enabled, revision = tables.state
    return replace(changes, state=AuthState(enabled, revision + 1))


def changed(tables: AuthTables, changes: AuthChanges) -> AuthTables:
    """Return the tables with the changes made."""
    users = {name: user for name, user in tables.users.items() if name not in changes.drop_users}
    roles = {name: role for name, role in tables.roles.items() if name not in changes.drop_roles}
    users.update({user.name: user for user in changes.put_users})
    roles.update({role.name: role for role in changes.put_roles})
    return AuthTables(changes.state or tables.state, users, roles)


def _enable(tables: AuthTables, _: requests.EnableAuth) -> AuthChanges:
    if tables.state.enabled:
        return AuthChanges()
    root = tables.users.get(ROOT)
    if root is None:
        raise RootUserMissing
    if ROOT not in root.roles:
        raise RootRoleMissing
    return AuthChanges(state=tables.state._replace(enabled=True))


def _disable(tables: AuthTables, _: requests.DisableAuth) -> AuthChanges:
    enabled, revision = tables.state
    if not enabled:
        return AuthChanges()
    return AuthChanges(state=AuthState(enabled=False, revision=revision + 1), drop_tokens_of=[None])


def _add_user(tables: AuthTables, request: requests.AddUser) -> AuthChanges:
    if not request.name:
        raise UserNameEmpty
    _check_length(request.name)
    if request.name in tables.users:
        raise UserExists
    password = b"" if request.no_password else request.password
    return AuthChanges(put_users=[User(request.name, password, request.no_password)])


def _delete_user(tables: AuthTables, request: requests.DeleteUser) -> AuthChanges:
    _keep_root(tables, request.name == ROOT)
    user = _user(tables, request.name)
    return AuthChanges(drop_users=[user.name], drop_tokens_of=[user.name])


def _change_password(tables: AuthTables, request: requests.ChangePassword) -> AuthChanges:
    user = _user(tables, request.name)
    password = b"" if user.no_password else request.password
    return AuthChanges(put_users=[user._replace(password=password)], drop_tokens_of=[user.name])


def _grant_role(tables: AuthTables, request: requests.GrantRole) -> AuthChanges:
    user = _user(tables, request.user)
    if request.role != ROOT:
        _role(tables, request.role)
    if request.role in user.roles:
        return AuthChanges()
    roles = sorted((*user.roles, request.role), key=str.encode)
    return AuthChanges(put_users=[user._replace(roles=tuple(roles))])


def _revoke_role(tables: AuthTables, request: requests.RevokeRole) -> AuthChanges:
    _keep_root(tables, request.user == ROOT and request.role == ROOT)
    user = _user(tables, request.user)
    if request.role not in user.roles:
        raise RoleNotGranted
    return AuthChanges(put_users=[_without(user, request.role)])


def _add_role(tables: AuthTables, request: requests.AddRole) -> AuthChanges:
    if not request.name:
        raise RoleNameEmpty
    _check_length(request.name)
    if request.name in tables.roles:
        raise RoleExists
    return AuthChanges(put_roles=[Role(request.name)])


def _delete_role(tables: AuthTables, request: requests.DeleteRole) -> AuthChanges:
    _keep_root(tables, request.name == ROOT)
    role = _role(tables, request.name)
    holders = [user for user in tables.users.values() if role.name in user.roles]
    return AuthChanges(
        drop_roles=[role.name], put_users=[_without(user, role.name) for user in holders]
    )


def _grant_permission(tables: AuthTables, request: requests.GrantPermission) -> AuthChanges:
    permission = request.permission
    if permission is None:
        raise PermissionNotGiven
    if not is_valid(permission.key, permission.end):
        raise InvalidAuthManagement
    role = _role(tables, request.role)
    permissions = with_permission(role.permissions, permission)
    return AuthChanges(put_roles=[role._replace(permissions=permissions)])


def _revoke_permission(tables: AuthTables, request: requests.RevokePermission) -> AuthChanges:
    role = _role(tables, request.role)
    kept = tuple(p for p in role.permissions if (p.key, p.end) != (request.key, request.end))
    if len(kept) == len(role.permissions):
        raise PermissionNotGranted
    return AuthChanges(put_roles=[role._replace(permissions=kept)])


def with_permission(
    permissions: tuple[Permission, ...], granted: Permission
) -> tuple[Permission, ...]:
    """Return permissions in key order with one more, or with the access of one changed.

    As in etcd only the first permission of the key is looked at: another range of that key that
    was granted later is granted again beside itself.
    """
    at = next((n for n, p in enumerate(permissions) if p.key >= granted.key), len(permissions))
    if permissions[at : at + 1] and permissions[at][1:] == granted[1:]:
        return (*permissions[:at], granted, *permissions[at + 1 :])
    return tuple(sorted((*permissions, granted), key=lambda permission: permission.key))


def _keep_root(tables: AuthTables, is_root: bool) -> None:
    if is_root and tables.state.enabled:
        raise InvalidAuthManagement


def _user(tables: AuthTables, name: str) -> User:
    user = tables.users.get(name)
    if user is None:
        raise UserNotFound
    return user


def _role(tables: AuthTables, name: str) -> Role:
    role = tables.roles.get(name)
    if role is None:
        raise RoleNotFound
    return role


def _without(user: User, role: str) -> User:
    return user._replace(roles=tuple(name for name in user.roles if name != role))


def _check_length(name: str) -> None:
    length = len(name.encode())
    if length > LONGEST_NAME:
        raise NameTooLong(f"{NameTooLong.__doc__}: {length} bytes, at most {LONGEST_NAME}")


_RULES: dict[type, Callable[[AuthTables, Any], AuthChanges]] = {
    requests.EnableAuth: _enable,
    requests.DisableAuth: _disable,
    requests.AddUser: _add_user,
    requests.DeleteUser: _delete_user,
    requests.ChangePassword: _change_password,
    requests.GrantRole: _grant_role,
    requests.RevokeRole: _revoke_role,
    requests.AddRole: _add_role,
    requests.DeleteRole: _delete_role,
    requests.GrantPermission: _grant_permission,
    requests.RevokePermission: _revoke_permission,
}
