"""etcdserverpb.Maintenance: status, alarms, hashes, snapshots, defragmentation.

There is no raft: the server that holds the lock row leads (`mvcc/leadership.py`), and there is no
older version to downgrade to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from datastore.errors import InvalidRequest, Unsupported
from datastore.errors.members import (
    InvalidDowngradeTarget,
    UnknownDowngradeAction,
    WrongDowngradeVersion,
)
from datastore.mvcc.model import Alarm
from datastore.mvcc.requests import DisarmAlarm, RaiseAlarm
from datastore.rpc import codec
from datastore.rpc.answering import RAFT_TERM, Edge, Method, Stream, Unary
from datastore.rpc.snapshots import snapshot
from datastore.versions import CLUSTER_VERSION, SERVER_VERSION, STORAGE_VERSION
from proto.etcd import kv_pb2, rpc_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from datastore.mvcc.model import Row

SERVICE = "etcdserverpb.Maintenance"
UINT64 = 1 << 64
NO_LEADER = "etcdserver: no leader"
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+(?:-[0-9A-Za-z.-]*)?(?:\+[0-9A-Za-z.-]*)?)?", re.ASCII)


async def _status(edge: Edge, _: rpc_pb2.StatusRequest) -> rpc_pb2.StatusResponse:
    store = edge.store
    state, alarms, leader = await store.standing()
    leaderless = [] if leader else [NO_LEADER]
    raised = [f"memberID:{_unsigned(a.member_id)} alarm:{alarm_name(a.alarm)} " for a in alarms]
    return rpc_pb2.StatusResponse(
        header=edge.header(state.revision),
        version=SERVER_VERSION,
        dbSize=store.house.size.allocated,
        dbSizeInUse=store.house.size.used,
        dbSizeQuota=max(store.limits.quota, 0),
        leader=leader,
        raftIndex=state.revision,
        raftAppliedIndex=state.revision,
        raftTerm=RAFT_TERM,
        errors=[*leaderless, *raised, *store.backend.warnings],
        storageVersion=STORAGE_VERSION,
        downgradeInfo=rpc_pb2.DowngradeInfo(enabled=False),
    )


async def _alarm(edge: Edge, request: rpc_pb2.AlarmRequest) -> rpc_pb2.AlarmResponse:
    """List, raise or disarm alarms; numbers that etcd does not know are refused."""
    if request.alarm not in rpc_pb2.AlarmType.values():
        raise InvalidRequest(f"etcdserver: unknown alarm type {request.alarm}")
    match request.action:
        case rpc_pb2.AlarmRequest.GET:
            state, alarms = await edge.store.alarms()
            revision = state.revision
            alarms = [a for a in alarms if request.alarm in (rpc_pb2.NONE, a.alarm)]
        case rpc_pb2.AlarmRequest.ACTIVATE | rpc_pb2.AlarmRequest.DEACTIVATE:
            revision, alarms = await _change_alarm(edge, request)
        case _:
            raise InvalidRequest(f"etcdserver: unknown alarm action {request.action}")
    return rpc_pb2.AlarmResponse(
        header=edge.header(revision),
        alarms=[
            rpc_pb2.AlarmMember(memberID=_unsigned(a.member_id), alarm=_type(a.alarm))
            for a in alarms
        ],
    )


async def _change_alarm(edge: Edge, request: rpc_pb2.AlarmRequest) -> tuple[int, list[Alarm]]:
    if request.alarm == rpc_pb2.NONE:
        return (await edge.store.state()).revision, []
    alarm = Alarm(_signed(request.memberID), int(request.alarm))
    activate = request.action == rpc_pb2.AlarmRequest.ACTIVATE
    change = RaiseAlarm(alarm) if activate else DisarmAlarm(alarm)
    changed = await edge.store.writer.submit(change)
    return changed.revision, changed.alarms


async def _move_leader(
    edge: Edge, request: rpc_pb2.MoveLeaderRequest
) -> rpc_pb2.MoveLeaderResponse:
    await edge.store.move_leader(request.targetID)
    return rpc_pb2.MoveLeaderResponse()


async def _defragment(edge: Edge, _: rpc_pb2.DefragmentRequest) -> rpc_pb2.DefragmentResponse:
    await edge.store.defragment()
    return rpc_pb2.DefragmentResponse()


async def _hash(edge: Edge, _: rpc_pb2.HashRequest) -> rpc_pb2.HashResponse:
    found, revision = await edge.store.upkeep.hash_all(_stored)
    return rpc_pb2.HashResponse(header=edge.header(revision), hash=found)


async def _hash_kv(edge: Edge, request: rpc_pb2.HashKVRequest) -> rpc_pb2.HashKVResponse:
    found = await edge.store.upkeep.hash_key_space(request.revision, _stored)
    return rpc_pb2.HashKVResponse(
        header=edge.header(found.revision),
        hash=found.hash,
        compact_revision=found.compact_revision,
        hash_revision=found.at,
    )


def _stored(row: Row) -> bytes:
    """Return an event's KeyValue as etcd stores it."""
    kv = kv_pb2.KeyValue(key=row.key) if row.deleted else codec.key_value(row)
    return kv.SerializeToString()


def _snapshot(edge: Edge, request: rpc_pb2.SnapshotRequest) -> AsyncIterator[bytes]:
    return snapshot(edge, request, STORAGE_VERSION)


async def _downgrade(edge: Edge, request: rpc_pb2.DowngradeRequest) -> rpc_pb2.DowngradeResponse:
    """Judge a target version; there is never a job, since there is nothing to downgrade to."""
    if request.action not in rpc_pb2.DowngradeRequest.DowngradeAction.values():
        raise UnknownDowngradeAction
    if request.action != rpc_pb2.DowngradeRequest.CANCEL:
        _check_downgrade(request.version)
    if request.action == rpc_pb2.DowngradeRequest.ENABLE:
        raise Unsupported("etcdserver: this datastore has no earlier version to downgrade to")
    revision = (await edge.store.state()).revision
    version = "{}.{}".format(*CLUSTER_VERSION)
    return rpc_pb2.DowngradeResponse(header=edge.header(revision), version=version)


def _check_downgrade(version: str) -> None:
    found = _VERSION.fullmatch(version)
    if found is None:
        raise WrongDowngradeVersion
    major, minor = CLUSTER_VERSION
    if (int(found[1]), int(found[2])) != (major, minor - 1):
        raise InvalidDowngradeTarget


def _unsigned(number: int) -> int:
    return number % UINT64


def _signed(number: int) -> int:
    return number - UINT64 if number >= UINT64 // 2 else number


def _type(alarm: int) -> rpc_pb2.AlarmType:
    return cast("rpc_pb2.AlarmType", alarm)


def alarm_name(alarm: int) -> str:
    """Return the name of an alarm, as Go has it: the number of one that is not known."""
    found = rpc_pb2.AlarmType.DESCRIPTOR.values_by_number.get(alarm)
    return found.name if found else str(alarm)


METHODS: dict[str, Method] = {
    "Status": Unary(rpc_pb2.StatusRequest, _status),
    "Alarm": Unary(rpc_pb2.AlarmRequest, _alarm),
    "Defragment": Unary(rpc_pb2.DefragmentRequest, _defragment),
    "Hash": Unary(rpc_pb2.HashRequest, _hash),
    "HashKV": Unary(rpc_pb2.HashKVRequest, _hash_kv),
    "Snapshot": Stream(rpc_pb2.SnapshotRequest, _snapshot, requests=False),
    "MoveLeader": Unary(rpc_pb2.MoveLeaderRequest, _move_leader),
    "Downgrade": Unary(rpc_pb2.DowngradeRequest, _downgrade),
}
