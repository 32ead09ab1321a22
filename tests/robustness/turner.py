"""The task that turns gates (`gates.py`): the alarm NOSPACE, and a user's permission."""

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import grpc
import grpc.aio

from proto.etcd import auth_pb2, rpc_pb2_grpc
from proto.etcd import rpc_pb2 as pb
from tests.robustness.caller import OPTIONS, PAUSE_SECONDS, Caller, metadata_of, status_of
from tests.robustness.gates import ALARM, DENIED, NEVER, PERMISSION
from tests.robustness.history import OK, Op, Request, Toggle, Try

TURN_SECONDS = 5.0  # for a turn, or a try
SHUT_SECONDS, OPEN_SECONDS = (0.0, 0.1), (0.1, 0.6)
END_SECONDS = 60.0  # in which some server opens a gate at the end
ALARMED = 7  # the member that the alarm is of
ROOT, USER, PASSWORD = "root", "user", "password"
KEY = b"/p/key"


class Gate(Protocol):
    """Something that a server shuts and opens for all."""

    name: str

    async def turn(self, caller: Caller, *, shut: bool) -> None:
        """Shut or open it, through one server."""

    async def attempt(self, caller: Caller) -> None:
        """Try it at one server, and note what came of that."""


class Alarm:
    """NOSPACE, which refuses every put."""

    name = ALARM

    def __init__(self, name: str) -> None:
        self._values = (f"{name}-{number}" for number in itertools.count())

    async def turn(self, caller: Caller, *, shut: bool) -> None:
        """Raise or disarm it."""
        asked = pb.AlarmRequest(
            action=pb.AlarmRequest.ACTIVATE if shut else pb.AlarmRequest.DEACTIVATE,
            memberID=ALARMED,
            alarm=pb.NOSPACE,
        )
        stub = rpc_pb2_grpc.MaintenanceStub(caller.channel)
        await stub.Alarm(asked, timeout=TURN_SECONDS, metadata=caller.metadata)

    async def attempt(self, caller: Caller) -> None:
        """Put something, as the other tasks do."""
        await caller.call(Request(True, (Op("put", "/g/alarm", value=next(self._values)),)))


class Permission:
    """A user's to read a key; the user's token is given by any server."""

    name = PERMISSION

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._token = ""

    async def turn(self, caller: Caller, *, shut: bool) -> None:
        """Revoke or grant it."""
        stub = rpc_pb2_grpc.AuthStub(caller.channel)
        if not shut:
            permission = auth_pb2.Permission(key=KEY, permType=auth_pb2.Permission.READ)
            grant = pb.AuthRoleGrantPermissionRequest(name=USER, perm=permission)
            await stub.RoleGrantPermission(grant, timeout=TURN_SECONDS, metadata=caller.metadata)
            return
        revoke = pb.AuthRoleRevokePermissionRequest(role=USER, key=KEY)
        await stub.RoleRevokePermission(revoke, timeout=TURN_SECONDS, metadata=caller.metadata)

    async def attempt(self, caller: Caller) -> None:
        """Read the key as the user; now and then let this server give the token for all."""
        start = time.monotonic()
        try:
            if not self._token or self._chance.random() < 0.1:
                self._token = await authenticate(caller.channel, USER)
                start = time.monotonic()
            stub = rpc_pb2_grpc.KVStub(caller.channel)
            metadata = metadata_of(self._token)
            await stub.Range(pb.RangeRequest(key=KEY), timeout=TURN_SECONDS, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            said = error.details() or ""
            if DENIED in said:
                caller.log.tries.append(Try(PERMISSION, start, time.monotonic(), passed=False))
            elif any(text in said for text in NEVER):
                caller.log.troubles.append(said)
        else:
            caller.log.tries.append(Try(PERMISSION, start, time.monotonic(), passed=True))


async def swing(
    gate: Gate, callers: Sequence[Caller], chance: random.Random, stop: asyncio.Event
) -> None:
    """Shut and open a gate at any server, and try it at all, until told to stop; leave it open."""
    shut = True
    while not stop.is_set():
        status = await _turn(gate, chance.choice(callers), shut=shut)
        if status == OK:
            await asyncio.gather(*(gate.attempt(caller) for caller in callers))
        pause = chance.uniform(*(SHUT_SECONDS if shut and status == OK else OPEN_SECONDS))
        shut = status == OK and not shut
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
    await _open(gate, callers, chance)


async def _open(gate: Gate, callers: Sequence[Caller], chance: random.Random) -> None:
    """Open a gate at any server that does."""
    by = time.monotonic() + END_SECONDS
    while await _turn(gate, chance.choice(callers), shut=False) != OK:
        assert time.monotonic() < by, f"nobody opens {gate.name}"
        await asyncio.sleep(PAUSE_SECONDS)


async def _turn(gate: Gate, caller: Caller, *, shut: bool) -> str:
    start = time.monotonic()
    try:
        await gate.turn(caller, shut=shut)
        status = OK
    except grpc.aio.AioRpcError as error:
        status = status_of(error)
    caller.log.toggles.append(Toggle(gate.name, shut, start, time.monotonic(), status))
    return status


async def authenticate(channel: grpc.aio.Channel, name: str) -> str:
    """Return a token of a user."""
    stub = rpc_pb2_grpc.AuthStub(channel)
    asked = pb.AuthenticateRequest(name=name, password=PASSWORD)
    return str((await stub.Authenticate(asked, timeout=TURN_SECONDS)).token)


async def enable_auth(address: str) -> str:
    """Make the user, turn authentication on, and return a token of root's."""
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        stub = rpc_pb2_grpc.AuthStub(channel)
        for name in (ROOT, USER):
            await stub.UserAdd(pb.AuthUserAddRequest(name=name, password=PASSWORD))
            await stub.RoleAdd(pb.AuthRoleAddRequest(name=name))
            await stub.UserGrantRole(pb.AuthUserGrantRoleRequest(user=name, role=name))
        await stub.AuthEnable(pb.AuthEnableRequest())
        return await authenticate(channel, ROOT)
