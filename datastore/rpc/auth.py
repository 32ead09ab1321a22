"""etcdserverpb.Auth: users, roles, permissions, and tokens for those who know their password.

Every call counts against the request limit, as in etcd, where all of them go through the log; but
for Authenticate, where a name or password of any length is a wrong one. The checks of who may call
are inside: management needs the role root while auth is on, UserGet and RoleGet are allowed for
oneself, Authenticate is open.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING, Any, TypeVar, cast

from datastore.errors.auth import NoPasswordUser, RoleNotFound, UserNotFound
from datastore.mvcc.auth import requests
from datastore.mvcc.auth.guard import Judge
from datastore.mvcc.auth.model import ROOT, ROOT_PERMISSION, AuthTables, Permission
from datastore.rpc.answering import Edge, Method, Unary
from proto.etcd import auth_pb2
from proto.etcd import rpc_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SERVICE = "etcdserverpb.Auth"
T = TypeVar("T")


def _change(
    response: Callable[..., Any], change: Callable[[Any], requests.Management]
) -> Callable[[Edge, Any], Awaitable[Any]]:
    """Return a method that makes a change and answers with a header alone."""

    async def call(edge: Edge, request: Any) -> Any:
        edge.size_of(request)
        revision = await edge.store.auth.change(change(request), edge.caller)
        return response(header=edge.header(revision))

    return call


async def _read(
    edge: Edge, request: Any, need: Callable[[Judge], object], look: Callable[[AuthTables], T]
) -> tuple[pb.ResponseHeader, T]:
    edge.size_of(request)
    revision, found = await edge.store.auth.read(edge.caller, need, look)
    return edge.header(revision), found


async def _status(edge: Edge, request: pb.AuthStatusRequest) -> pb.AuthStatusResponse:
    header, state = await _read(edge, request, Judge.root, lambda tables: tables.state)
    return pb.AuthStatusResponse(header=header, enabled=state.enabled, authRevision=state.revision)


async def _authenticate(edge: Edge, request: pb.AuthenticateRequest) -> pb.AuthenticateResponse:
    revision, token = await edge.store.auth.authenticate(request.name, request.password)
    return pb.AuthenticateResponse(header=edge.header(revision), token=token)


async def _user_add(edge: Edge, request: pb.AuthUserAddRequest) -> pb.AuthUserAddResponse:
    """Add a user; a hash that a client sends is not used, as in etcd."""
    edge.size_of(request)
    revision = await edge.store.auth.add_user(
        request.name,
        request.password,
        no_password=request.options.no_password,
        caller=edge.caller,
    )
    return pb.AuthUserAddResponse(header=edge.header(revision))


async def _user_change_password(
    edge: Edge, request: pb.AuthUserChangePasswordRequest
) -> pb.AuthUserChangePasswordResponse:
    edge.size_of(request)
    revision = await edge.store.auth.change_password(
        request.name, request.password, _hash(request), caller=edge.caller
    )
    return pb.AuthUserChangePasswordResponse(header=edge.header(revision))


def _hash(request: pb.AuthUserChangePasswordRequest) -> bytes:
    """Return the hash that a client sends instead of a password."""
    if request.password:
        return b""
    try:
        return b64decode(request.hashedPassword, validate=True)
    except binascii.Error:
        raise NoPasswordUser from None


async def _user_get(edge: Edge, request: pb.AuthUserGetRequest) -> pb.AuthUserGetResponse:
    def look(tables: AuthTables) -> tuple[str, ...]:
        user = tables.users.get(request.name)
        if user is None:
            raise UserNotFound
        return user.roles

    header, roles = await _read(edge, request, lambda judge: judge.self_or_root(request.name), look)
    return pb.AuthUserGetResponse(header=header, roles=roles)


async def _user_list(edge: Edge, request: pb.AuthUserListRequest) -> pb.AuthUserListResponse:
    header, users = await _read(edge, request, Judge.root, lambda tables: _names(tables.users))
    return pb.AuthUserListResponse(header=header, users=users)


async def _role_get(edge: Edge, request: pb.AuthRoleGetRequest) -> pb.AuthRoleGetResponse:
    def look(tables: AuthTables) -> tuple[Permission, ...]:
        role = tables.roles.get(request.role)
        if role is None:
            raise RoleNotFound
        return (ROOT_PERMISSION,) if role.name == ROOT else role.permissions

    header, permissions = await _read(
        edge, request, lambda judge: judge.holder_or_root(request.role), look
    )
    return pb.AuthRoleGetResponse(header=header, perm=map(_permission, permissions))


async def _role_list(edge: Edge, request: pb.AuthRoleListRequest) -> pb.AuthRoleListResponse:
    header, roles = await _read(edge, request, Judge.root, lambda tables: _names(tables.roles))
    return pb.AuthRoleListResponse(header=header, roles=roles)


def _names(named: dict[str, Any]) -> list[str]:
    return sorted(named, key=str.encode)


def _permission(permission: Permission) -> auth_pb2.Permission:
    access = cast("auth_pb2.Permission.Type", permission.access)
    return auth_pb2.Permission(permType=access, key=permission.key, range_end=permission.end)


def _grant_permission(request: pb.AuthRoleGrantPermissionRequest) -> requests.GrantPermission:
    given, permission = request.perm, None
    if request.HasField("perm"):
        permission = Permission(int(given.permType), given.key, given.range_end)
    return requests.GrantPermission(request.name, permission)


METHODS: dict[str, Method] = {
    "AuthEnable": Unary(
        pb.AuthEnableRequest, _change(pb.AuthEnableResponse, lambda _: requests.EnableAuth())
    ),
    "AuthDisable": Unary(
        pb.AuthDisableRequest, _change(pb.AuthDisableResponse, lambda _: requests.DisableAuth())
    ),
    "AuthStatus": Unary(pb.AuthStatusRequest, _status),
    "Authenticate": Unary(pb.AuthenticateRequest, _authenticate),
    "UserAdd": Unary(pb.AuthUserAddRequest, _user_add),
    "UserGet": Unary(pb.AuthUserGetRequest, _user_get),
    "UserList": Unary(pb.AuthUserListRequest, _user_list),
    "UserDelete": Unary(
        pb.AuthUserDeleteRequest,
        _change(pb.AuthUserDeleteResponse, lambda request: requests.DeleteUser(request.name)),
    ),
    "UserChangePassword": Unary(pb.AuthUserChangePasswordRequest, _user_change_password),
    "UserGrantRole": Unary(
        pb.AuthUserGrantRoleRequest,
        _change(
            pb.AuthUserGrantRoleResponse,
            lambda request: requests.GrantRole(request.user, request.role),
        ),
    ),
    "UserRevokeRole": Unary(
        pb.AuthUserRevokeRoleRequest,
        _change(
            pb.AuthUserRevokeRoleResponse,
            lambda request: requests.RevokeRole(request.name, request.role),
        ),
    ),
    "RoleAdd": Unary(
        pb.AuthRoleAddRequest,
        _change(pb.AuthRoleAddResponse, lambda request: requests.AddRole(request.name)),
    ),
    "RoleGet": Unary(pb.AuthRoleGetRequest, _role_get),
    "RoleList": Unary(pb.AuthRoleListRequest, _role_list),
    "RoleDelete": Unary(
        pb.AuthRoleDeleteRequest,
        _change(pb.AuthRoleDeleteResponse, lambda request: requests.DeleteRole(request.role)),
    ),
    "RoleGrantPermission": Unary(
        pb.AuthRoleGrantPermissionRequest,
        _change(pb.AuthRoleGrantPermissionResponse, _grant_permission),
    ),
    "RoleRevokePermission": Unary(
        pb.AuthRoleRevokePermissionRequest,
        _change(
            pb.AuthRoleRevokePermissionResponse,
            lambda request: requests.RevokePermission(request.role, request.key, request.range_end),
        ),
    ),
}
