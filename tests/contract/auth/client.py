"""A client with credentials, and short verbs for users, roles and permissions."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from proto.etcd.auth_pb2 import Permission, UserAddOptions
from tests.contract.client import Client
from tests.contract.streams import WatchStream

READ, WRITE, READWRITE = Permission.READ, Permission.WRITE, Permission.READWRITE
ROOT_PASSWORD = "the password of root"
FAST = "--bcrypt-cost=4"
Metadata = Sequence[tuple[str, str | bytes]]
Grant = tuple[Any, ...]  # access, key, and perhaps the range's end
_names = itertools.count(1)


class AuthClient(Client):
    """A client whose every call carries the same metadata: a token, or what else a test sends."""

    def __init__(self, address: str, metadata: Metadata = (), prefix: bytes = b"") -> None:
        super().__init__(address, prefix)
        self.metadata = tuple(metadata)
        self.auth = rpc_pb2_grpc.AuthStub(self.channel)
        stubs = (self.kv, self.lease, self.cluster, self.maintenance, self.auth)
        for stub in stubs:
            for name, call in vars(stub).items():
                setattr(stub, name, partial(call, metadata=self.metadata))

    @property
    def token(self) -> str:
        """The token it sends."""
        return str(dict(self.metadata)["token"])

    @asynccontextmanager
    async def watch(self, metadata: Metadata = ()) -> AsyncIterator[WatchStream]:
        """Open a watch stream with the client's metadata and more."""
        async with super().watch((*self.metadata, *metadata)) as stream:
            yield stream

    def other(self, metadata: Metadata) -> "AuthClient":
        """A client with other metadata at the same server."""
        return AuthClient(self.address, metadata, self.prefix)

    async def login(self, name: str, password: str) -> str:
        """A token."""
        return (await self.authenticate(name, password)).token

    async def authenticate(self, name: str, password: str) -> pb.AuthenticateResponse:
        request = pb.AuthenticateRequest(name=name, password=password)
        return await self._ask(self.auth.Authenticate, request)

    async def status_of_auth(self) -> pb.AuthStatusResponse:
        return await self._ask(self.auth.AuthStatus, pb.AuthStatusRequest())

    async def enable(self) -> pb.AuthEnableResponse:
        return await self._ask(self.auth.AuthEnable, pb.AuthEnableRequest())

    async def disable(self) -> pb.AuthDisableResponse:
        return await self._ask(self.auth.AuthDisable, pb.AuthDisableRequest())

    async def add_user(
        self, name: str, password: str = "", **options: Any
    ) -> pb.AuthUserAddResponse:
        chosen = UserAddOptions(**options) if options else None
        request = pb.AuthUserAddRequest(name=name, password=password, options=chosen)
        return await self._ask(self.auth.UserAdd, request)

    async def delete_user(self, name: str) -> pb.AuthUserDeleteResponse:
        return await self._ask(self.auth.UserDelete, pb.AuthUserDeleteRequest(name=name))

    async def change_password(self, name: str, password: str = "", hashed: str = "") -> Any:
        request = pb.AuthUserChangePasswordRequest(
            name=name, password=password, hashedPassword=hashed
        )
        return await self._ask(self.auth.UserChangePassword, request)

    async def roles_of(self, user: str) -> list[str]:
        answer = await self._ask(self.auth.UserGet, pb.AuthUserGetRequest(name=user))
        return list(answer.roles)

    async def users(self) -> list[str]:
        return list((await self._ask(self.auth.UserList, pb.AuthUserListRequest())).users)

    async def roles(self) -> list[str]:
        return list((await self._ask(self.auth.RoleList, pb.AuthRoleListRequest())).roles)

    async def add_role(self, name: str) -> pb.AuthRoleAddResponse:
        return await self._ask(self.auth.RoleAdd, pb.AuthRoleAddRequest(name=name))

    async def delete_role(self, name: str) -> pb.AuthRoleDeleteResponse:
        return await self._ask(self.auth.RoleDelete, pb.AuthRoleDeleteRequest(role=name))

    async def give(self, user: str, role: str) -> pb.AuthUserGrantRoleResponse:
        """Grant a role."""
        request = pb.AuthUserGrantRoleRequest(user=user, role=role)
        return await self._ask(self.auth.UserGrantRole, request)

    async def take(self, user: str, role: str) -> pb.AuthUserRevokeRoleResponse:
        """Revoke a role."""
        request = pb.AuthUserRevokeRoleRequest(name=user, role=role)
        return await self._ask(self.auth.UserRevokeRole, request)

    async def allow(
        self, role: str, access: Any, key: bytes, end: bytes = b""
    ) -> pb.AuthRoleGrantPermissionResponse:
        """Grant a permission."""
        given = Permission(permType=access, key=key, range_end=end)
        request = pb.AuthRoleGrantPermissionRequest(name=role, perm=given)
        return await self._ask(self.auth.RoleGrantPermission, request)

    async def disallow(
        self, role: str, key: bytes, end: bytes = b""
    ) -> pb.AuthRoleRevokePermissionResponse:
        """Revoke a permission."""
        request = pb.AuthRoleRevokePermissionRequest(role=role, key=key, range_end=end)
        return await self._ask(self.auth.RoleRevokePermission, request)

    async def permissions(self, role: str) -> list[tuple[int, bytes, bytes]]:
        answer = await self._ask(self.auth.RoleGet, pb.AuthRoleGetRequest(role=role))
        return [(p.permType, p.key, p.range_end) for p in answer.perm]

    async def new_user(self, *grants: Grant) -> tuple[str, str]:
        """Add a user whose password is his name, with a role of his own; return both names."""
        user = f"user-{next(_names)}"
        role = f"role-of-{user}"
        await self.add_user(user, user)
        await self.add_role(role)
        for grant in grants:
            await self.allow(role, *grant)
        await self.give(user, role)
        return user, role


def sent(token: str) -> Metadata:
    """The metadata that carries a token."""
    return (("token", token),)


async def secure(client: AuthClient) -> AuthClient:
    """Make root, turn auth on, and return a client that is root."""
    await client.add_user("root", ROOT_PASSWORD)
    await client.give("root", "root")
    await client.enable()
    return client.other(sent(await client.login("root", ROOT_PASSWORD)))
